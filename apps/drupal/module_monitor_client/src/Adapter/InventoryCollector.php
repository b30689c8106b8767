<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Adapter;

use Composer\InstalledVersions;
use Drupal\Core\Config\ConfigFactoryInterface;
use Drupal\Core\Database\Connection;
use Drupal\Core\State\StateInterface;
use Drupal\Core\Update\UpdateHookRegistry;
use Drupal\module_monitor_client\Report\ComposerPackages;
use Drupal\module_monitor_client\Report\Inventory;
use Drupal\module_monitor_client\Sync\Identity;
use Drupal\module_monitor_client\Sync\StoreInterface;
use Symfony\Component\HttpFoundation\RequestStack;

/**
 * Gathers what Drupal, Composer and PHP know, as plain values.
 */
final class InventoryCollector {

  public function __construct(
    private readonly ExtensionReader $reader,
    private readonly UpdateHookRegistry $updates,
    private readonly ConfigFactoryInterface $configFactory,
    private readonly StateInterface $state,
    private readonly Connection $database,
    private readonly RequestStack $requests,
    private readonly StoreInterface $store,
    private readonly string $root,
    private readonly string $sitePath,
  ) {}

  /**
   * Everything, as it is on the disk now.
   */
  public function collect(string $name, Identity $identity): Inventory {
    $site_info = [
      'name' => $name,
      'url' => $identity->url,
      'environment' => $identity->environment,
      'site_path' => $this->sitePath,
      'profile' => $this->configFactory->get('core.extension')->get('profile') ?: NULL,
      'last_cron' => $this->lastCron(),
      'client' => 'module_monitor_client',
    ];
    return new Inventory($this->extensions(), $site_info, $this->facts(), \Drupal::VERSION, PHP_VERSION);
  }

  /**
   * All extensions, with what Composer and the database know of them.
   *
   * @return array[]
   *   As ExtensionItem::build() takes them.
   */
  private function extensions(): array {
    $packages = $this->packages();
    $schemas = $this->updates->getAllInstalledVersions();
    return array_map(fn (array $extension): array => $extension + [
      'schema_version' => $extension['extension'] === 'theme' ? NULL : ($schemas[$extension['name']] ?? NULL),
      'package' => isset($extension['path']) ? $packages->find($this->resolve($this->root . '/' . $extension['path'])) : NULL,
    ], $this->reader->read());
  }

  /**
   * What Composer has installed, or nothing where there is no Composer.
   */
  private function packages(): ComposerPackages {
    $versions = [];
    $installed = [];
    if (class_exists(InstalledVersions::class)) {
      foreach (InstalledVersions::getAllRawData() as $data) {
        $versions += $data['versions'];
      }
      $file = dirname((string) (new \ReflectionClass(InstalledVersions::class))->getFileName()) . '/installed.json';
      $json = is_readable($file) ? json_decode((string) file_get_contents($file), TRUE) : NULL;
      $installed = is_array($json) ? ($json['packages'] ?? $json) : [];
    }
    return new ComposerPackages($versions, $installed, $this->resolve(...));
  }

  /**
   * The path without links and dots.
   */
  private function resolve(string $path): string {
    return realpath($path) ?: $path;
  }

  /**
   * Database and web server.
   *
   * Cron that runs in a shell does not know the web server, so what a request
   * has once told is remembered.
   */
  private function facts(): array {
    $web_server = $this->requests->getCurrentRequest()?->server->get('SERVER_SOFTWARE');
    $known = $this->store->get('web_server');
    if (PHP_SAPI !== 'cli' && is_string($web_server) && $web_server !== '' && $known !== ['name' => $web_server]) {
      $known = ['name' => $web_server];
      $this->store->set('web_server', $known);
    }
    return [
      'database' => $this->database->databaseType() . ' ' . $this->database->version(),
      'php_sapi' => PHP_SAPI,
      'web_server' => $known['name'] ?? NULL,
    ];
  }

  /**
   * When cron last ran.
   */
  private function lastCron(): ?string {
    $time = $this->state->get('system.cron_last');
    return is_numeric($time) ? gmdate('Y-m-d\TH:i:s\Z', (int) $time) : NULL;
  }

}
