<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Hook;

use Drupal\Core\Hook\Attribute\Hook;
use Drupal\Core\Queue\QueueFactory;
use Drupal\module_monitor_client\Sync\Reporter;

/**
 * When the module acts: on cron, and after extensions may have changed.
 */
final class ClientHooks {

  public const QUEUE = 'module_monitor_client';

  public function __construct(
    private readonly Reporter $reporter,
    private readonly QueueFactory $queues,
  ) {}

  /**
   * Implements hook_cron().
   */
  #[Hook('cron')]
  public function cron(): void {
    $this->reporter->runIfDue();
  }

  /**
   * Implements several hooks: extensions may have changed.
   *
   * Nothing is gathered or sent in the request that changed them: cron does
   * that, or whoever works on the queue first. hook_rebuild() is where a
   * deployment of new code ends.
   */
  #[Hook('modules_installed')]
  #[Hook('modules_uninstalled')]
  #[Hook('themes_installed')]
  #[Hook('themes_uninstalled')]
  #[Hook('rebuild')]
  public function extensionsChanged(): void {
    $this->reporter->noteChange();
    try {
      $queue = $this->queues->get(self::QUEUE);
      if ($queue->numberOfItems() === 0) {
        $queue->createItem([]);
      }
    }
    catch (\Throwable) {
      // The note is enough: the next cron run sees it.
    }
  }

}
