<?php

declare(strict_types=1);

namespace Drupal\Tests\module_monitor_client\Unit;

use Drupal\module_monitor_client\Report\Inventory;
use Drupal\module_monitor_client\Sync\Answer;
use Drupal\module_monitor_client\Sync\Credentials;
use Drupal\module_monitor_client\Sync\Identity;
use Drupal\module_monitor_client\Sync\Journal;
use Drupal\module_monitor_client\Sync\Reporter;
use Drupal\module_monitor_client\Sync\Request;
use Drupal\module_monitor_client\Sync\SiteInterface;
use Drupal\module_monitor_client\Sync\StoreInterface;
use Drupal\module_monitor_client\Sync\TransportInterface;
use Psr\Log\AbstractLogger;

/**
 * A site, its memory, the line, the log and the clock, all in one.
 */
final class FakeSite extends AbstractLogger implements SiteInterface, StoreInterface, TransportInterface {

  /**
   * What is configured.
   *
   * @var string[]
   */
  public array $settings = ['url' => 'https://monitor.example', 'site_id' => '7', 'key' => 'mm_a_b', 'token' => ''];

  /**
   * The address of the site.
   */
  public ?string $url = 'https://city.example';

  /**
   * Its environment.
   */
  public ?string $environment = 'production';

  /**
   * Its secret.
   */
  public string $salt = 'salt';

  /**
   * Modules by name, with their versions.
   *
   * @var string[]
   */
  public array $modules = ['node' => '10.3.6', 'system' => '10.3.6'];

  /**
   * The time.
   */
  public int $now = 1769851800;

  /**
   * What is remembered.
   *
   * @var string[]
   */
  public array $memory = [];

  /**
   * Whether another process reports.
   */
  public bool $locked = FALSE;

  /**
   * Answers to come; the last one stays.
   *
   * @var \Drupal\module_monitor_client\Sync\Answer[]
   */
  public array $answers = [];

  /**
   * The requests that were sent.
   *
   * @var \Drupal\module_monitor_client\Sync\Request[]
   */
  public array $requests = [];

  /**
   * The log, each line with its level.
   *
   * @var string[]
   */
  public array $log = [];

  /**
   * What the site throws when its extensions are asked for.
   */
  public ?\Throwable $broken = NULL;

  /**
   * The reporter of this site.
   */
  public function reporter(): Reporter {
    return new Reporter($this, $this, $this, new Journal($this), fn (): int => $this->now);
  }

  /**
   * Sets the answers to come.
   */
  public function answer(Answer ...$answers): void {
    $this->answers = $answers;
  }

  /**
   * A 200 of our server.
   */
  public static function applied(?string $state = NULL, array $more = []): Answer {
    return new Answer(200, [], (string) json_encode($more + [
      'success' => TRUE,
      'sync_id' => 'sync_1',
      'processed_count' => 2,
      'state' => $state,
    ]));
  }

  /**
   * A problem of our server.
   */
  public static function problem(int $status, string $code, array $headers = []): Answer {
    return new Answer($status, $headers, (string) json_encode(['code' => $code, 'detail' => 'details']));
  }

  /**
   * The body of the last request.
   */
  public function sent(): array {
    $request = end($this->requests);
    return json_decode((string) gzdecode($request->body), TRUE);
  }

  /**
   * {@inheritdoc}
   */
  public function credentials(): Credentials {
    return new Credentials($this->settings['url'], $this->settings['site_id'], $this->settings['key'], $this->settings['token'], 'settings.php');
  }

  /**
   * {@inheritdoc}
   */
  public function identity(): Identity {
    return new Identity($this->url, $this->environment);
  }

  /**
   * {@inheritdoc}
   */
  public function name(): string {
    return 'City';
  }

  /**
   * {@inheritdoc}
   */
  public function hashSalt(): string {
    return $this->salt;
  }

  /**
   * {@inheritdoc}
   */
  public function inventory(): Inventory {
    if ($this->broken !== NULL) {
      throw $this->broken;
    }
    $extensions = [];
    foreach ($this->modules as $name => $version) {
      $extensions[] = [
        'name' => $name,
        'extension' => 'module',
        'path' => "core/modules/$name",
        'info' => ['version' => $version],
        'status' => TRUE,
      ];
    }
    return new Inventory($extensions, ['name' => 'City'], [], '10.3.6', '8.2.0');
  }

  /**
   * {@inheritdoc}
   */
  public function get(string $name): array {
    // As a database does, it keeps no objects.
    return unserialize($this->memory[$name] ?? serialize([]), ['allowed_classes' => FALSE]);
  }

  /**
   * {@inheritdoc}
   */
  public function set(string $name, array $value): void {
    unset($this->memory[$name]);
    if ($value !== []) {
      $this->memory[$name] = serialize($value);
    }
  }

  /**
   * {@inheritdoc}
   */
  public function lock(): bool {
    return !$this->locked && $this->locked = TRUE;
  }

  /**
   * {@inheritdoc}
   */
  public function unlock(): void {
    $this->locked = FALSE;
  }

  /**
   * {@inheritdoc}
   */
  public function send(Request $request): Answer {
    $this->requests[] = $request;
    return count($this->answers) > 1 ? array_shift($this->answers) : $this->answers[0];
  }

  /**
   * {@inheritdoc}
   */
  public function log($level, $message, array $context = []): void {
    $this->log[] = $level . ': ' . strtr((string) $message, $context);
  }

}
