<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Report;

/**
 * What was found on the site, before it becomes a report.
 */
final class Inventory {

  /**
   * Takes everything as plain values.
   *
   * @param array[] $extensions
   *   As ExtensionItem::build() takes them.
   * @param array $siteInfo
   *   Name, URL, environment and the like.
   * @param array $facts
   *   Database, web server and the like; empty where nothing is known.
   * @param string $drupalVersion
   *   For example 10.3.6.
   * @param string $phpVersion
   *   For example 8.3.15.
   */
  public function __construct(
    public readonly array $extensions,
    public readonly array $siteInfo,
    public readonly array $facts,
    public readonly string $drupalVersion,
    public readonly string $phpVersion,
  ) {}

}
