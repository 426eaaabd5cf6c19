"""The zc.buildout extension; not built yet: registered nowhere, it does nothing."""
