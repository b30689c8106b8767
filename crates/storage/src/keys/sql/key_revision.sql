SELECT revision FROM key_revision
