"""Everything that the shim and a tunnel hold in memory from request to request, and its bound.

The key is where it is: module, class and attribute, or module and function. A test compares this
list with the code.
"""

_MIB = 1024**2

#: Tables bounded by bytes, keys included (`memory.table.Table`).
TABLES: dict[str, int] = {
    # Repeated within a second: thirty of the largest pages, or thousands of usual ones.
    "chain.fallback.Fallback._answers": 32 * _MIB,
    # Some hundred usual pages, or the thirty largest; once for projects, once for lists of names.
    "server.rendered.RenderedPages._pages": 32 * _MIB,
    # The withheld releases of a thousand projects.
    "shim.Shim._young": 1 * _MIB,
    # Hundreds of usual pages for a second.
    "server.response_cache.ResponseCache._responses": 8 * _MIB,
    # A minute's names that an index does not have: 10,000 of them.
    "chain.asking.Asker._absent": 4 * _MIB,
    # Projects that a mirror is behind with, for each mirror.
    "chain.figures.Figures._lags": 1 * _MIB,
    # The different messages of a minute.
    "cli.logs.Repeats._logged": 1 * _MIB,
    # More than anyone reads.
    "chain.activity.Activity._failures": 1 * _MIB,
    "chain.refusals.Refusals._noted": 1 * _MIB,
    # More projects than the largest install has.
    "chain.activity.Activity._served": 7 * _MIB,
    # More files than any install meets.
    "files.download.Downloads._not_resumable": 1 * _MIB,
    "files.integrity.WrongSources._known": 4 * _MIB,
    "files.metadata.MetadataFiles._refused": 1 * _MIB,
    # The releases of the largest installation, and their vulnerabilities.
    "files.notices.Notices._seen": _MIB // 2,
    # The logins in the links of one index: those of the largest page.
    "upstream.credentials.LinkLogins._links": 6 * _MIB,
    # Clients that tried wrong tokens within a minute: 600 of them.
    "server.wrong_tokens.WrongTokens._counts": _MIB // 4,
    # Some hundred files in buckets; facts of more are in the database.
    "hosted.bucket_index.BucketIndex._known": _MIB // 8,
    # Files verified since the start: 20,000, and no more than a repeated check if one is dropped.
    "store.blobs.Blobs._verified": 4 * _MIB,
    # Files that came from a shared bucket: 3,000; and those that were wrong there.
    "store.shared.files.SharedFiles._received": 1 * _MIB,
    "store.shared.files.SharedFiles._wrong": 1 * _MIB,
    "store.shared.pins.SharedPins._damaged": 1 * _MIB,
    # Pages that came from a shared bucket, and a minute's names that it does not have.
    "store.shared.pages.SharedPages._received": 1 * _MIB,
    "store.shared.pages.SharedPages._absent": 1 * _MIB,
    "store.shared.owners.SharedOwners._absent": 1 * _MIB,
    # Projects of indexes with a cooldown, 2,500; of more, the bucket is asked again.
    "store.shared.seen.SharedSeen._asked": 1 * _MIB,
}

#: Everything else, and what bounds it.
OTHERS: dict[str, str] = {
    # One entry for each index, or as few.
    "chain.documents.IndexDocuments._paused": "the configured indexes",
    "chain.name_lists.NameLists._looked": "the configured indexes",
    "chain.network.Network._cut": "the configured indexes",
    "store.ledger.Ledger._lists": "the configured indexes; their names are on the disk",
    # The latest so many, of short values.
    "chain.activity.Activity._clients": "20 names of at most 40 characters",
    "chain.decisions.Decisions._log": "300 decisions of at most 2,700 characters",
    "chain.fetched_ahead.FetchedAhead._fetches": "10,000 names and addresses, 255 bytes a part",
    "chain.heartbeat.Heartbeat._gaps": "16 gaps",
    "chain.latency.Latency._seconds": "the samples of one index",
    "config.loopback._is_loopback": "64 hosts of at most 255 characters",
    "files.profile.profile_of": "the latest User-Agents, none above a length",
    "formats.negotiation._remembered": "256 headers of at most 500 characters",
    "names.canonical_version": "8,192 versions, of names and of one page",
    "names.version_in": "8,192 names of at most 255 characters",
    "server.browse.description._render": "32 descriptions of at most 300,000 characters",
    "upstream.proxies.Proxies._known": "100 hosts",
    "upstream.credentials.LinkLogins._origins": "100 hosts",
    "upstream.credentials.Logins._headers": "100 hosts",
    "upstream.completing._version": "20,000 file names",
    "upstream.contents.Contents.known": "the files of a directory",
    "upstream.local_distributions.LocalDistributions._refused": "the files of a directory",
    "upstream.local_distributions.LocalDistributions._listed": "the files of a directory",
    "search.filling.Filling._failed": "the configured indexes",
    "store.search_file.has_fts5": "one answer",
    "store.search_index.SearchIndex._noted": "1,000 projects, then they are on the disk",
    "store.damage._expected": "the schemas of this version",
    "store.database_file.DatabaseFile.set_aside": "the damaged databases of one start, on the disk",
    "store.forms.Noted._rows": "1,000 damaged rows, by index and project or file",
    "store.sorted_names.SortedNames._parts": "an answer of `limits.page_size`, as `Ledger._lists`",
    "store.secret._of_this_process": "one secret",
    "store.safety_records.Changes._made": "the changes of one transaction",
    "store.shared.figures.Figures._counts": "the names of the figures",
    "store.shared.figures.Figures._requests": "six operations by six outcomes",
    "store.shared.disowned.SharedDisowned._known": "10,000 names",
    "store.shared.owners.SharedOwners._etags": "the configured indexes",
    "store.shared.queue.WriteQueue._jobs": "10,000 names of jobs, and how often each was tried",
    "store.shared.queue.WriteQueue._threads": "8 threads",
    # Records that safety rests on, or that a disk error holds back: never dropped.
    "store.pending.PendingRecords._records": "what could not be written yet",
    "store.blob_records.BlobRecords._used": "files used since the times were last written",
    # Requests and transfers under way, which the server's threads bound.
    "chain.attempts.Attempts._running": "requests under way",
    "files.download.Downloads._running": "transfers under way",
    "flight.SingleFlight._flights": "requests under way",
    "flight._idle": "threads without work, for 10 s",
    "store.in_use.FilesInUse._reading": "files that are being read",
    "server.bodies.TimedBody._pieces": "4 pieces of 64 KiB, for each of 32 uploads",
    "upstream.watchdog.Watchdog._actions": "requests under way",
    "upstream.watchdog.Watchdog._order": "requests of the last seconds",
    # Read-ahead: 16 clients, each with a plan of at most 2 MiB, and 8 requests at once.
    "files.ahead.ReadAhead._asked": "4,096 events",
    "files.ahead.ReadAhead._done": "the results of 8 requests at once",
    "files.notices.Notices._pending": "2,000 releases",
    "files.notices.Notices._waiting": "as `_pending`",
    "files.planner.Planner._asked": "as the projects of one plan",
    "files.planner.Planner._needed": "as the projects of one plan",
    "files.planner.Planner._planned": "as the projects of one plan",
    "files.planner.Planner._projects": "2,000 projects and 2 MiB of requirements",
    "files.planner.Planner._steps": "as the projects of one plan",
    "files.planner.Planner._unclaimed": "as the projects of one plan",
    "files.schedule.Schedule._entries": "16 clients",
    "files.workers.Workers._tasks": "8 tasks of read-ahead; 1,000 files and their sources",
    # One transfer: its sources, which are the indexes of a group.
    "files.arrival.IncomingFile.failures": "one transfer",
    "files.opening.HedgedOpener._late": "one transfer",
    "files.opening.HedgedOpener._slower": "one transfer",
    "files.sources._Troubles._of_each": "one transfer",
    "files.transfer.Transfer._asked": "one transfer",
    "files.transfer.Transfer._expired": "one transfer",
    "files.transfer.Transfer._held": "one transfer",
    "files.transfer.Transfer._kinds": "one transfer",
    # One page that is being read, at most `limits.page_size`; or one request.
    "formats.collected.Collected._files": "one page",
    "formats.collected.Collected._hashed": "one page",
    "formats.collected.Collected.dropped": "one page",
    "formats.document.Document.meta": "one page",
    "formats.links.Links._directories": "one page",
    "formats.links.Links._origins": "one page",
    "hosted.receiving.Incoming._hashes": "three digests of one upload",
    "upstream.cookies.Cookies._set": "one request and its redirects",
    "upstream.extended.ExtendedFiles._fetched": "the files that one command is given",
    # A tunnel of the user's own programs.
    "tunnel.shim.ShimConnections._idle": "one for each client connection at once",
    "tunnel.report.Activity._counts": "the names of the report's numbers",
    "tunnel.report.Activity._refusals": "1,000 programs",
    "tunnel.report.Activity._trusting": "1,000 programs",
    # The tables themselves.
    "memory.table.Table._entries": "the bytes of `TABLES`",
}
