<?php

declare(strict_types=1);

namespace Drupal\Tests\module_monitor_client\Kernel;

use Drupal\Core\DependencyInjection\ContainerBuilder;
use Drupal\Core\Site\Settings;
use Drupal\KernelTests\KernelTestBase;
use Drupal\module_monitor_client\Hook\ClientHooks;
use Drupal\module_monitor_client\Hook\Requirements;
use Drupal\module_monitor_client\Sync\Answer;
use Drupal\module_monitor_client\Sync\Reporter;
use Drupal\module_monitor_client\Sync\Request;
use Drupal\module_monitor_client\Sync\TransportInterface;

/**
 * The module in a real Drupal, with a server that it carries along.
 *
 * @group module_monitor_client
 */
final class ReportTest extends KernelTestBase implements TransportInterface {

  /**
   * {@inheritdoc}
   */
  protected static $modules = ['system', 'user', 'module_monitor_client'];

  /**
   * The requests that were sent.
   *
   * @var \Drupal\module_monitor_client\Sync\Request[]
   */
  private array $requests = [];

  /**
   * The answer to all of them.
   */
  private Answer $answer;

  /**
   * The test that runs, for every container that it builds.
   *
   * @var self|null
   */
  private static ?self $running = NULL;

  /**
   * {@inheritdoc}
   */
  protected function setUp(): void {
    self::$running = $this;
    parent::setUp();
    $this->installConfig(['system', 'module_monitor_client']);
    $this->installSchema('user', ['users_data']);
    $this->setSetting('module_monitor_client', [
      'url' => 'https://monitor.example',
      'site_id' => '7',
      'key' => 'mm_a_b',
      'base_url' => 'https://city.example',
    ]);
    $this->setSetting('hash_salt', 'salt');
    $this->answer = new Answer(200, [], (string) json_encode([
      'success' => TRUE,
      'sync_id' => 'sync_1',
      'processed_count' => 3,
      'state' => 'abc',
    ]));
  }

  /**
   * {@inheritdoc}
   */
  public function register(ContainerBuilder $container): void {
    parent::register($container);
    if ($container->hasDefinition('module_monitor_client.transport')) {
      $container->getDefinition('module_monitor_client.transport')->setFactory([self::class, 'transport']);
    }
  }

  /**
   * The server that the test carries along.
   */
  public static function transport(): TransportInterface {
    return self::$running ?? throw new \LogicException('No test runs.');
  }

  /**
   * {@inheritdoc}
   */
  public function send(Request $request): Answer {
    $this->requests[] = $request;
    return $this->answer;
  }

  /**
   * Cron reports what Drupal has, and the status report says so.
   */
  public function testCron(): void {
    $this->container->get('cron')->run();
    self::assertCount(1, $this->requests);
    $report = json_decode((string) gzdecode($this->requests[0]->body), TRUE);
    self::assertSame(\Drupal::VERSION, $report['drupal_version']);
    $modules = array_column($report['modules'], NULL, 'machine_name');
    self::assertSame(['core', 'drupal', TRUE], [
      $modules['system']['type'],
      $modules['system']['project'],
      $modules['system']['status'],
    ]);
    self::assertSame(['theme', FALSE], [$modules['stark']['extension'], $modules['stark']['status']]);
    self::assertSame('profile', $modules['minimal']['extension']);

    $requirement = $this->requirement();
    self::assertSame(Requirements::OK, $requirement['severity']);

    $this->container->get('cron')->run();
    self::assertCount(1, $this->requests, 'It waits for its slot.');
  }

  /**
   * An installed module is reported by the queue, and not where it happened.
   */
  public function testQueue(): void {
    $this->container->get(Reporter::class)->runNow();
    $this->container->get('module_installer')->install(['filter']);
    // Installing has built another container.
    $this->container = \Drupal::getContainer();
    self::assertCount(1, $this->requests);
    $queue = $this->container->get('queue')->get(ClientHooks::QUEUE);
    self::assertSame(1, (int) $queue->numberOfItems());
    $worker = $this->container->get('plugin.manager.queue_worker')->createInstance(ClientHooks::QUEUE);
    $worker->processItem([]);
    $delta = json_decode((string) gzdecode($this->requests[1]->body), TRUE);
    self::assertSame(['delta', 'abc'], [$delta['sync_type'], $delta['base']]);
    self::assertContains('filter', array_column($delta['changed'], 'machine_name'));
  }

  /**
   * A problem is an error of the status report, with what to do.
   */
  public function testProblem(): void {
    $this->answer = new Answer(401, [], '{"code":"key-invalid","detail":"There is no such key"}');
    $this->container->get('cron')->run();
    $requirement = $this->requirement();
    self::assertSame(Requirements::ERROR, $requirement['severity']);
    self::assertStringContainsString('There is no such key', (string) json_encode($requirement['description']));
  }

  /**
   * Without settings it does nothing, and says so.
   */
  public function testNotConfigured(): void {
    new Settings(array_diff_key(Settings::getAll(), ['module_monitor_client' => 1]));
    $this->container->get('cron')->run();
    self::assertSame([], $this->requests);
    self::assertSame(Requirements::WARNING, $this->requirement()['severity']);
  }

  /**
   * Nothing is left after it was uninstalled.
   */
  public function testUninstall(): void {
    $this->container->get(Reporter::class)->runNow();
    $this->container->get(ClientHooks::class)->extensionsChanged();
    self::assertNotSame([], $this->container->get('keyvalue')->get('module_monitor_client')->getAll());
    $this->container->get('module_installer')->uninstall(['module_monitor_client']);
    self::assertSame([], \Drupal::keyValue('module_monitor_client')->getAll());
    self::assertSame(0, (int) \Drupal::queue('module_monitor_client')->numberOfItems());
    self::assertTrue(\Drupal::config('module_monitor_client.settings')->isNew());
  }

  /**
   * The module's line of the status report.
   */
  private function requirement(): array {
    return $this->container->get(Requirements::class)->requirement();
  }

}
