<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Sync;

use Psr\Log\LoggerInterface;

/**
 * What the site's log is told: each thing once, and never a secret.
 */
final class Journal {

  /**
   * Takes the site's log.
   */
  public function __construct(private readonly LoggerInterface $logger) {}

  /**
   * Tells the log what is new: a problem once, its end, other warnings.
   */
  public function write(SyncState $state, array $warnings_before): void {
    $problem = $state->currentProblem();
    if ($problem !== NULL) {
      $this->complain($state, $problem);
      return;
    }
    if ($state->failures === 0 && $state->logged !== '') {
      $this->logger->notice('Reporting works again.');
      $state->logged = '';
    }
    foreach (array_diff($state->result['warnings'] ?? [], $warnings_before) as $warning) {
      $this->logger->notice('The server says: @warning', ['@warning' => $warning]);
    }
  }

  /**
   * Tells the log of a problem, unless it was the last thing it was told.
   */
  public function complain(SyncState $state, Problem $problem): void {
    if ($state->logged !== $problem->code) {
      $this->logger->error('@problem', ['@problem' => (string) $problem]);
      $state->logged = $problem->code;
    }
  }

  /**
   * Tells that the site has a key of its own now.
   */
  public function enrolled(Credentials $credentials): void {
    $this->logger->notice('The site was enrolled with the id @id.', ['@id' => $credentials->siteId]);
  }

}
