<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Adapter;

use Drupal\Component\Datetime\TimeInterface;

/**
 * Drupal's clock as the function that the reporter wants.
 */
final class Clock {

  /**
   * The time in Unix seconds, of now and not of the request's start.
   */
  public static function of(TimeInterface $time): \Closure {
    return static fn (): int => $time->getCurrentTime();
  }

}
