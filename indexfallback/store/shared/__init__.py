"""What several shims share through a bucket: nothing here is imported without ``cache.shared``."""
