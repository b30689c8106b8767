<?php

declare(strict_types=1);

namespace Drupal\Tests\module_monitor_client\EndToEnd;

use Drupal\module_monitor_client\Sync\Answer;
use Drupal\module_monitor_client\Sync\Journal;
use Drupal\module_monitor_client\Sync\Outcome;
use Drupal\module_monitor_client\Sync\Reporter;
use Drupal\module_monitor_client\Sync\Request;
use Drupal\module_monitor_client\Sync\TransportInterface;
use Drupal\Tests\module_monitor_client\Unit\FakeSite;
use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/../../../../tests/RealServer.php';

/**
 * The module's reports are what our real server wants.
 *
 * @group module_monitor_client
 */
final class ServerTest extends TestCase implements TransportInterface {

  /**
   * The server of all tests.
   */
  private static ?\RealServer $server = NULL;

  /**
   * The site that reports.
   */
  private FakeSite $site;

  /**
   * {@inheritdoc}
   */
  public static function setUpBeforeClass(): void {
    self::$server = new \RealServer();
  }

  /**
   * {@inheritdoc}
   */
  public static function tearDownAfterClass(): void {
    self::$server = NULL;
  }

  /**
   * {@inheritdoc}
   */
  protected function setUp(): void {
    $this->site = new FakeSite();
    $this->site->now = time() - 7 * 86400;
    [$id, $key] = self::$server->site('City of Example');
    $this->site->settings = ['url' => self::$server->url, 'site_id' => $id, 'key' => $key, 'token' => ''];
  }

  /**
   * {@inheritdoc}
   */
  public function send(Request $request): Answer {
    $answer = \RealServer::request($request->method, $request->url, $request->headers, $request->body);
    return new Answer($answer['status'], $answer['headers'], $answer['body']);
  }

  /**
   * A week of changes leaves on the server what the site has.
   */
  public function testReports(): void {
    $names = ['node', 'views', 'token', 'webform', 'city_core', 'pathauto'];
    for ($hour = 0; $hour < 30; $hour++) {
      mt_srand($hour);
      foreach ($names as $name) {
        unset($this->site->modules[$name]);
        if (mt_rand(0, 2) > 0) {
          $this->site->modules[$name] = '10.3.' . mt_rand(5, 6);
        }
      }
      $outcome = $this->reporter()->runNow();
      self::assertSame(Outcome::REPORTED, $outcome->status, $outcome->message);
      $there = array_map(static fn (array $module): ?string => $module['version'], $this->modules());
      $expected = $this->site->modules;
      ksort($there);
      ksort($expected);
      self::assertSame($expected, $there, "hour $hour, $outcome->syncType");
      $this->site->now += 3600;
    }
    self::assertNull($this->reporter()->status()->problem);
  }

  /**
   * The server's own answers to what is wrong are understood.
   */
  public function testProblems(): void {
    $this->site->settings['key'] = 'mm_0_0';
    self::assertSame(Outcome::FAILED, $this->reporter()->runIfDue()->status);
    self::assertSame('key-invalid', $this->reporter()->status()->problem?->code);

    [, $this->site->settings['key']] = self::$server->site('Another site');
    $this->reporter()->runIfDue();
    self::assertSame('site-not-found', $this->reporter()->status()->problem?->code);
  }

  /**
   * A report that is older than another one is followed by a fresh one.
   */
  public function testStale(): void {
    $this->reporter()->runNow();
    $this->site->now -= 3600;
    self::assertSame(Outcome::SKIPPED, $this->reporter()->runNow()->status);
    $this->site->now += 7200;
    self::assertSame(Outcome::REPORTED, $this->reporter()->runIfDue()->status);
  }

  /**
   * A server that is down is waited for.
   */
  public function testDown(): void {
    $this->site->settings['url'] = 'http://127.0.0.1:1';
    $this->reporter()->runIfDue();
    self::assertSame('no-answer', $this->reporter()->status()->problem?->code);
  }

  /**
   * The reporter of the site, on a line to the real server.
   */
  private function reporter(): Reporter {
    return new Reporter($this->site, $this->site, $this, new Journal($this->site), fn (): int => $this->site->now);
  }

  /**
   * What the server has.
   */
  private function modules(): array {
    return self::$server->modules($this->site->settings['site_id'], $this->site->settings['key']);
  }

}
