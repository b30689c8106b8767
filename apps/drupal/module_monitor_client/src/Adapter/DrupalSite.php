<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Adapter;

use Drupal\Core\Config\ConfigFactoryInterface;
use Drupal\Core\Site\Settings;
use Drupal\module_monitor_client\Report\Inventory;
use Drupal\module_monitor_client\Sync\Credentials;
use Drupal\module_monitor_client\Sync\Identity;
use Drupal\module_monitor_client\Sync\SiteInterface;

/**
 * The site as Drupal knows it.
 *
 * Each setting is looked for in settings.php, then in the environment, then in
 * configuration; keys and tokens never in configuration.
 */
final class DrupalSite implements SiteInterface {

  /**
   * The environment's name on hosts that say it.
   */
  private const HOSTS = [
    'PANTHEON_ENVIRONMENT',
    'AH_SITE_ENVIRONMENT',
    'PLATFORM_ENVIRONMENT_TYPE',
    'LAGOON_ENVIRONMENT_TYPE',
  ];

  /**
   * Takes Drupal's services.
   *
   * @param \Drupal\Core\Config\ConfigFactoryInterface $configFactory
   *   The configuration.
   * @param \Drupal\module_monitor_client\Adapter\InventoryCollector $collector
   *   What is installed.
   * @param \Drupal\key\KeyRepositoryInterface|null $keys
   *   The Key module's keys, where that module is installed.
   */
  public function __construct(
    private readonly ConfigFactoryInterface $configFactory,
    private readonly InventoryCollector $collector,
    private readonly ?object $keys = NULL,
  ) {}

  /**
   * {@inheritdoc}
   */
  public function credentials(): Credentials {
    [$key, $source] = $this->key();
    return new Credentials(
      rtrim($this->value('url', TRUE), '/'),
      $this->value('site_id', TRUE),
      $key,
      $this->value('token'),
      $source,
      !empty(self::settings()['allow_http']),
    );
  }

  /**
   * {@inheritdoc}
   */
  public function identity(): Identity {
    $environment = $this->value('environment', TRUE);
    foreach (self::HOSTS as $variable) {
      $environment = $environment ?: (string) getenv($variable);
    }
    return new Identity(rtrim($this->value('base_url', TRUE), '/') ?: NULL, $environment ?: NULL);
  }

  /**
   * {@inheritdoc}
   */
  public function name(): string {
    return trim((string) $this->configFactory->get('system.site')->get('name'));
  }

  /**
   * {@inheritdoc}
   */
  public function hashSalt(): string {
    return Settings::getHashSalt();
  }

  /**
   * {@inheritdoc}
   */
  public function inventory(): Inventory {
    return $this->collector->collect($this->name(), $this->identity());
  }

  /**
   * The key, and where it is from.
   *
   * @return array{string, string}
   *   Both empty where there is none.
   */
  private function key(): array {
    if ($key = self::fromSettings('key')) {
      return [$key, 'settings.php'];
    }
    if ($key = self::fromEnvironment('key')) {
      return [$key, 'the environment'];
    }
    $id = (string) $this->configFactory->get('module_monitor_client.settings')->get('key_id');
    $key = $id === '' ? '' : trim((string) $this->keys?->getKey($id)?->getKeyValue());
    return $key === '' ? ['', ''] : [$key, 'the Key module'];
  }

  /**
   * A setting, or the empty string.
   */
  private function value(string $name, bool $in_config = FALSE): string {
    return self::fromSettings($name) ?: self::fromEnvironment($name) ?: ($in_config
      ? trim((string) $this->configFactory->get('module_monitor_client.settings')->get($name))
      : '');
  }

  /**
   * The array in settings.php.
   */
  private static function settings(): array {
    return (array) Settings::get('module_monitor_client', []);
  }

  /**
   * A value of settings.php, or the empty string.
   */
  private static function fromSettings(string $name): string {
    $value = self::settings()[$name] ?? '';
    return is_scalar($value) ? trim((string) $value) : '';
  }

  /**
   * A value of the environment, for example of MODULE_MONITOR_SITE_ID.
   */
  private static function fromEnvironment(string $name): string {
    return trim((string) getenv('MODULE_MONITOR_' . strtoupper($name)));
  }

}
