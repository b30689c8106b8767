<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Sync;

/**
 * Whose key it is: a copy of the site must not report as the original.
 */
final class Ownership {

  /**
   * A copy of the site with the original's key, or NULL.
   */
  public static function problem(SyncState $state, Credentials $credentials, Identity $here): ?Problem {
    if ($credentials->key === '' || $state->key !== $credentials->keyDigest() || !$here->differsFrom($state->identity())) {
      return NULL;
    }
    return new Problem(
      'copy',
      sprintf('This is %s, and its key belongs to %s, so it does not report.', $here->describe(), $state->identity()->describe()),
      'Give a copy an id and a key of its own. If the site itself has moved, say so on the settings page or with "drush module-monitor:sync --moved".',
    );
  }

  /**
   * A key that came with a copy of the database.
   */
  public static function foreignKey(): Problem {
    return new Problem('foreign-key', 'The key in the database was stored with another hash salt, so this is a copy of a site, or its salt was changed.', 'Enrol it anew with "drush module-monitor:enroll", or configure a key.');
  }

  /**
   * Remembers whose key it is, once the server has accepted it.
   */
  public static function accept(SyncState $state, Credentials $credentials, Identity $here): void {
    $known = $state->key === $credentials->keyDigest() ? $state->identity() : new Identity(NULL, NULL);
    $state->key = $credentials->keyDigest();
    $state->url = $here->url ?? $known->url;
    $state->environment = $here->environment ?? $known->environment;
  }

}
