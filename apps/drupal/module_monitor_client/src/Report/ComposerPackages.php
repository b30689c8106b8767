<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Report;

/**
 * What Composer knows of installed packages, found by the folder of the code.
 */
final class ComposerPackages {

  /**
   * Packages by their folder.
   *
   * @var array<string, array<string, mixed>>
   */
  private array $packages = [];

  /**
   * Joins Composer's two records of the same packages.
   *
   * @param array $versions
   *   The `versions` of \Composer\InstalledVersions::getAllRawData(), by name.
   * @param array $installed
   *   The `packages` of vendor/composer/installed.json, or nothing where the
   *   file is not deployed. It alone tells how a package was installed and what
   *   drupal.org says of it.
   * @param callable(string): string $resolve
   *   Resolves links and dots of an absolute path.
   */
  public function __construct(array $versions, array $installed, callable $resolve) {
    $details = [];
    foreach ($installed as $package) {
      $details[$package['name'] ?? ''] = $package;
    }
    foreach ($versions as $name => $version) {
      $type = (string) ($version['type'] ?? '');
      if (empty($version['install_path']) || !str_starts_with($type, 'drupal-')) {
        continue;
      }
      $this->packages[$resolve($version['install_path'])] = self::describe((string) $name, $version, $details[$name] ?? []);
    }
  }

  /**
   * The package that a folder belongs to, or NULL.
   *
   * @param string $folder
   *   An absolute path with links resolved.
   *
   * @return array<string, mixed>|null
   *   The fields name, version, reference, source, project, drupal_version,
   *   datestamp and covered; each may be NULL.
   */
  public function find(string $folder): ?array {
    while (strlen($folder) > 1) {
      if (isset($this->packages[$folder])) {
        return $this->packages[$folder];
      }
      $folder = dirname($folder);
    }
    return NULL;
  }

  /**
   * One package in our own terms.
   */
  private static function describe(string $name, array $version, array $detail): array {
    // Only drupal.org's own repository uses its projects' names as package
    // names; anybody may call a package of their own drupal/something.
    $packaged = str_starts_with((string) ($detail['notification-url'] ?? ''), 'https://packages.drupal.org/');
    $drupal = $packaged ? (array) ($detail['extra']['drupal'] ?? []) : [];
    $source = ($detail['dist']['type'] ?? '') === 'path' ? 'path' : ($detail['installation-source'] ?? NULL);
    $coverage = $drupal['security-coverage']['status'] ?? NULL;
    return [
      'name' => $name,
      'version' => $version['pretty_version'] ?? NULL,
      'reference' => $version['reference'] ?? NULL,
      'source' => in_array($source, ['dist', 'source', 'path'], TRUE) ? $source : NULL,
      'project' => $packaged && str_starts_with($name, 'drupal/') ? substr($name, strlen('drupal/')) : NULL,
      'drupal_version' => $drupal['version'] ?? NULL,
      'datestamp' => $drupal['datestamp'] ?? NULL,
      'covered' => $coverage === NULL ? NULL : $coverage === 'covered',
    ];
  }

}
