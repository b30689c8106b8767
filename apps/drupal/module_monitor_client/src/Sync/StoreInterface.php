<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Sync;

/**
 * Where the module keeps what it remembers.
 *
 * Not Drupal's State API, which some versions of Drupal load whole on every
 * page.
 */
interface StoreInterface {

  /**
   * The array under a name; empty where there is none.
   */
  public function get(string $name): array;

  /**
   * Keeps an array under a name; the empty one removes it.
   */
  public function set(string $name, array $value): void;

  /**
   * Claims the only right to report; FALSE where another process has it.
   */
  public function lock(): bool;

  /**
   * Gives it back.
   */
  public function unlock(): void;

}
