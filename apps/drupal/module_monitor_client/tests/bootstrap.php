<?php

/**
 * @file
 * Finds the module's classes for tests without Drupal and without Composer.
 */

declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
  $prefixes = [
    'Drupal\\Tests\\module_monitor_client\\' => __DIR__ . '/src/',
    'Drupal\\module_monitor_client\\' => dirname(__DIR__) . '/src/',
  ];
  foreach ($prefixes as $prefix => $folder) {
    if (str_starts_with($class, $prefix)) {
      require $folder . str_replace('\\', '/', substr($class, strlen($prefix))) . '.php';
      return;
    }
  }
});

// Debian's package php-psr-log.
if (!interface_exists('Psr\Log\LoggerInterface')) {
  require_once 'Psr/Log/autoload.php';
}
