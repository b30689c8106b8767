<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Sync;

/**
 * How long to wait after failures; doubles each time, in seconds.
 */
final class Backoff {

  private const MINUTE = 60;

  private const HOUR = 3600;

  private const DAY = 86400;

  /**
   * After trouble on the way: 5 minutes, 10, 20, up to 6 hours.
   *
   * Up to a quarter more, other for each site and each time, so that sites do
   * not come back all at once to a server that was down.
   */
  public static function trouble(int $failures, string $site): int {
    $wait = self::double(5 * self::MINUTE, $failures, 6 * self::HOUR);
    return $wait + crc32("$site/$failures") % intdiv($wait, 4);
  }

  /**
   * After a refusal that waiting does not cure: an hour, two, up to a day.
   */
  public static function refusal(int $failures): int {
    return self::double(self::HOUR, $failures, self::DAY);
  }

  /**
   * What the server asks for, within reason, or else the other.
   */
  public static function asked(?int $retry_after, int $otherwise): int {
    return $retry_after === NULL ? $otherwise : min(self::DAY, max(self::MINUTE, $retry_after));
  }

  /**
   * The first wait, doubled for each failure before this one.
   */
  private static function double(int $first, int $failures, int $most): int {
    return min($most, $first * 2 ** min(max(0, $failures), 12));
  }

}
