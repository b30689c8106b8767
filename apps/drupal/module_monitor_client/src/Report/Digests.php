<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Report;

/**
 * What the module remembers of a list that it has sent.
 *
 * For each machine name a digest of the item, its type and its project: enough
 * to find what has changed, a fiftieth of the list's own size.
 */
final class Digests {

  /**
   * The digests of a list.
   *
   * @param array[] $items
   *   Items of a report, by machine name.
   *
   * @return array<string, array{string, string, string|null}>
   *   For each name the digest, the type and the project.
   */
  public static function of(array $items): array {
    return array_map(
      static fn (array $item): array => [self::digest($item), $item['type'], $item['project'] ?? NULL],
      $items,
    );
  }

  /**
   * What has to be sent to turn the list with those digests into another.
   *
   * @return array{array[], string[]}
   *   The items that are new or differ, and the names that are gone.
   */
  public static function difference(array $digests, array $items): array {
    $changed = [];
    foreach ($items as $name => $item) {
      if (($digests[$name][0] ?? NULL) !== self::digest($item)) {
        $changed[] = $item;
      }
    }
    // PHP turns a key that looks like a number into one.
    $removed = array_map('strval', array_keys(array_diff_key($digests, $items)));
    return [$changed, $removed];
  }

  /**
   * Type and project that a name had, or nothing.
   */
  public static function origin(array $digests, string $name): array {
    return isset($digests[$name]) ? ['type' => $digests[$name][1], 'project' => $digests[$name][2]] : [];
  }

  /**
   * The digest of one item: 80 bits, and a full report a day beside it.
   */
  private static function digest(array $item): string {
    return substr(hash('sha256', (string) json_encode($item, JSON_INVALID_UTF8_SUBSTITUTE)), 0, 20);
  }

}
