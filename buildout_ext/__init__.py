"""The zc.buildout extension: a stub that is registered nowhere and does nothing yet."""
