UPDATE key_revision SET revision = revision + 1
