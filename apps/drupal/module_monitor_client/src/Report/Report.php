<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Report;

/**
 * One report: the whole list, or what differs from the list sent before.
 */
final class Report {

  /**
   * The most extensions that the server takes.
   */
  public const MOST = 2000;

  /**
   * Keeps the parts together.
   *
   * @param array[] $items
   *   The whole list, by machine name.
   * @param string[] $notes
   *   What somebody who looks after the site should know about the list.
   * @param array $frame
   *   Everything of the request beside the list.
   */
  private function __construct(
    public readonly array $items,
    public readonly array $notes,
    private readonly array $frame,
  ) {}

  /**
   * Makes the report of an inventory.
   *
   * @param \Drupal\module_monitor_client\Report\Inventory $inventory
   *   What was found.
   * @param array $before
   *   The digests of the last report, for what has lost its code since.
   * @param int $now
   *   When the list was made, in Unix seconds.
   * @param bool $slim
   *   Whether to leave descriptions and dependencies out, since the server
   *   found the whole thing too large.
   */
  public static function of(Inventory $inventory, array $before, int $now, bool $slim = FALSE): self {
    $items = [];
    $notes = [];
    foreach ($inventory->extensions as $extension) {
      $name = (string) $extension['name'];
      if (!preg_match('/^[a-zA-Z_\x80-\xff][a-zA-Z0-9_\x80-\xff]{0,254}$/D', $name) || Text::repair($name) !== $name) {
        $notes[] = sprintf('"%s" is not a machine name, so it is not reported.', Text::repair($name));
        continue;
      }
      // A module and a theme may have one name: the one in use counts.
      if (isset($items[$name]) && ($items[$name]['status'] || !$extension['status'])) {
        continue;
      }
      $items[$name] = ExtensionItem::build($extension, $inventory->drupalVersion, Digests::origin($before, $name));
      if ($slim) {
        unset($items[$name]['description'], $items[$name]['dependencies']);
      }
      if (isset($extension['note'])) {
        $notes[] = mb_substr($extension['note'], 0, 300, 'UTF-8');
      }
      elseif (self::needsRepair($extension)) {
        $notes[] = sprintf('The info file of %s is not UTF-8; its text was repaired.', $name);
      }
    }
    if (count($items) > self::MOST) {
      $notes[] = sprintf('The site has %d extensions, and %d are reported: those in use first.', count($items), self::MOST);
      $items = self::mostImportant($items);
    }
    ksort($items, SORT_STRING);
    return new self($items, $notes, self::frame($inventory, $now));
  }

  /**
   * The request that sends the whole list.
   */
  public function full(): array {
    return $this->frame + ['sync_type' => 'full', 'modules' => array_values($this->items)];
  }

  /**
   * The request that sends what differs from the list with those digests.
   *
   * @param string $base
   *   The `state` that the server gave for that list.
   * @param array $digests
   *   What Digests::of() made of that list.
   */
  public function delta(string $base, array $digests): array {
    [$changed, $removed] = Digests::difference($digests, $this->items);
    return $this->frame + ['sync_type' => 'delta', 'base' => $base, 'changed' => $changed, 'removed' => $removed];
  }

  /**
   * Whether the list still is the one with those digests.
   */
  public function matches(array $digests): bool {
    return Digests::difference($digests, $this->items) === [[], []];
  }

  /**
   * The parts of the request beside the list.
   */
  private static function frame(Inventory $inventory, int $now): array {
    $site_info = Text::repairAll(array_filter($inventory->siteInfo, static fn (mixed $value): bool => $value !== NULL));
    $facts = Text::repairAll(array_filter($inventory->facts, static fn (mixed $value): bool => $value !== NULL));
    $frame = [
      // An object even where it is empty: PHP would write [] otherwise.
      'site_info' => (object) $site_info,
      'drupal_version' => $inventory->drupalVersion,
      'php_version' => $inventory->phpVersion,
      'sync_timestamp' => gmdate('Y-m-d\TH:i:s\Z', $now),
    ];
    return $facts === [] ? $frame : $frame + ['facts' => $facts];
  }

  /**
   * Whether any text that is sent is not UTF-8.
   */
  private static function needsRepair(array $extension): bool {
    $info = array_intersect_key($extension['info'] ?? [], array_flip([
      'name',
      'description',
      'package',
      'version',
      'dependencies',
    ]));
    $broken = FALSE;
    array_walk_recursive($info, static function (mixed $value) use (&$broken): void {
      $broken = $broken || (is_string($value) && !preg_match('//u', $value));
    });
    return $broken;
  }

  /**
   * As many as the server takes: in use first, hidden ones last.
   *
   * The same ones every time, so that none seems to come and go.
   */
  private static function mostImportant(array $items): array {
    $rank = static fn (array $item): int => $item['status'] ? 0 : (empty($item['hidden']) ? 1 : 2);
    uasort($items, static fn (array $a, array $b): int => [$rank($a), $a['machine_name']] <=> [
      $rank($b),
      $b['machine_name'],
    ]);
    return array_slice($items, 0, self::MOST, TRUE);
  }

}
