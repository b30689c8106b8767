<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Adapter;

use Drupal\Core\KeyValueStore\KeyValueFactoryInterface;
use Drupal\Core\Lock\LockBackendInterface;
use Drupal\module_monitor_client\Sync\StoreInterface;

/**
 * Keeps things in a key-value collection of the module's own.
 */
final class KeyValueStore implements StoreInterface {

  public const COLLECTION = 'module_monitor_client';

  /**
   * Longer than any run takes, in seconds.
   */
  private const LOCKED_FOR = 120.0;

  public function __construct(
    private readonly KeyValueFactoryInterface $keyValue,
    private readonly LockBackendInterface $lock,
  ) {}

  /**
   * {@inheritdoc}
   */
  public function get(string $name): array {
    $value = $this->keyValue->get(self::COLLECTION)->get($name);
    return is_array($value) ? $value : [];
  }

  /**
   * {@inheritdoc}
   */
  public function set(string $name, array $value): void {
    $collection = $this->keyValue->get(self::COLLECTION);
    $value === [] ? $collection->delete($name) : $collection->set($name, $value);
  }

  /**
   * {@inheritdoc}
   */
  public function lock(): bool {
    return $this->lock->acquire(self::COLLECTION, self::LOCKED_FOR);
  }

  /**
   * {@inheritdoc}
   */
  public function unlock(): void {
    $this->lock->release(self::COLLECTION);
  }

}
