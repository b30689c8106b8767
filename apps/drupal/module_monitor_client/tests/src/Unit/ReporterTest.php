<?php

declare(strict_types=1);

namespace Drupal\Tests\module_monitor_client\Unit;

use Drupal\module_monitor_client\Sync\Answer;
use Drupal\module_monitor_client\Sync\Outcome;
use PHPUnit\Framework\TestCase;

/**
 * When the module reports, what it sends, and what it leaves alone.
 *
 * @group module_monitor_client
 */
final class ReporterTest extends TestCase {

  /**
   * The site of each test.
   */
  private FakeSite $site;

  /**
   * {@inheritdoc}
   */
  protected function setUp(): void {
    $this->site = new FakeSite();
  }

  /**
   * The first run sends everything, and the next one waits for its slot.
   */
  public function testFirstReport(): void {
    $this->site->answer(FakeSite::applied(NULL, ['next_sync_after' => '2026-01-31T10:10:00Z']));
    self::assertSame(Outcome::REPORTED, $this->cron()->status);
    $request = $this->site->requests[0];
    self::assertSame('POST', $request->method);
    self::assertSame('https://monitor.example/api/v1/sites/7/modules/sync', $request->url);
    self::assertSame('mm_a_b', $request->headers['X-API-Key']);
    self::assertSame('handling=lenient', $request->headers['Prefer']);
    self::assertSame('gzip', $request->headers['Content-Encoding']);
    self::assertSame(hash('sha256', (string) gzdecode($request->body)), $request->headers['Idempotency-Key']);
    self::assertSame('full', $this->site->sent()['sync_type']);

    $this->site->now += 2399;
    self::assertSame(Outcome::SKIPPED, $this->cron()->status);
    self::assertCount(1, $this->site->requests);
    $this->site->now += 1;
    $this->cron();
    self::assertSame('full', $this->site->sent()['sync_type'], 'A server without states never gets a delta.');
    self::assertSame([], $this->site->log);
  }

  /**
   * Deltas while all is well, a full report once a day and after anything else.
   */
  public function testDelta(): void {
    $this->site->answer(FakeSite::applied('one'));
    $this->cron();
    $this->site->modules = ['node' => '10.3.7', 'views' => '10.3.6'];
    $this->later(3600);
    $this->site->answer(FakeSite::applied('two'));
    $this->cron();
    $delta = $this->site->sent();
    self::assertSame(['delta', 'one'], [$delta['sync_type'], $delta['base']]);
    self::assertSame(['node', 'views'], array_column($delta['changed'], 'machine_name'));
    self::assertSame(['system'], $delta['removed']);
    self::assertArrayNotHasKey('modules', $delta);

    $this->later(3600);
    $this->cron();
    self::assertSame(['two', [], []], [
      $this->site->sent()['base'],
      $this->site->sent()['changed'],
      $this->site->sent()['removed'],
    ]);

    foreach ([
      new Answer(500),
      Answer::none('gone'),
      FakeSite::problem(409, 'base-mismatch'),
      FakeSite::problem(422, 'validation-failed'),
      new Answer(200, [], '<html>'),
    ] as $trouble) {
      $this->later(3600);
      $this->site->answer($trouble);
      $this->cron();
      self::assertSame('delta', $this->site->sent()['sync_type']);
      $this->later(86400);
      $this->site->answer(FakeSite::applied('two'));
      $this->cron();
      self::assertSame('full', $this->site->sent()['sync_type'], 'After anything but a 200 the whole list follows.');
    }

    $this->later(86400);
    $this->cron();
    self::assertSame('full', $this->site->sent()['sync_type'], 'Once a day the whole list goes out.');
    $this->later(3600);
    self::assertSame('full', $this->site->reporter()->runNow(TRUE)->syncType);
  }

  /**
   * A delta that does not fit is followed by the whole list in the next run.
   */
  public function testBaseMismatch(): void {
    $this->site->answer(FakeSite::applied('one'));
    $this->cron();
    $this->later(3600);
    $this->site->answer(FakeSite::problem(409, 'base-mismatch'));
    $this->cron();
    $this->site->answer(FakeSite::applied('two'));
    $this->cron();
    self::assertSame(['delta', 'full'], [
      json_decode((string) gzdecode($this->site->requests[1]->body), TRUE)['sync_type'],
      $this->site->sent()['sync_type'],
    ]);
    self::assertSame([], $this->site->log);
  }

  /**
   * Changes are reported before the slot, and a rebuild without any is not.
   */
  public function testChanges(): void {
    $this->site->answer(FakeSite::applied('one'));
    $this->cron();
    $this->site->reporter()->noteChange();
    self::assertCount(1, $this->site->requests, 'Nothing is sent in the request that changed something.');
    self::assertSame(Outcome::SKIPPED, $this->cron()->status);
    self::assertCount(1, $this->site->requests);

    $this->site->modules['webform'] = '6.2.2';
    self::assertSame(Outcome::SKIPPED, $this->cron()->status);
    $this->site->reporter()->noteChange();
    self::assertSame(Outcome::REPORTED, $this->cron()->status);
    self::assertSame(['webform'], array_column($this->site->sent()['changed'], 'machine_name'));
    $this->cron();
    self::assertCount(2, $this->site->requests);
  }

  /**
   * A queued report is followed up, one request a run, and then a full one.
   */
  public function testQueued(): void {
    $this->site->answer(new Answer(202, [], '{"sync_id":"sync_q","status":"queued"}'));
    self::assertSame(Outcome::QUEUED, $this->cron()->status);
    $this->site->answer(new Answer(200, [], '{"status":"queued"}'));
    $this->cron();
    $asked = end($this->site->requests);
    self::assertSame(['GET', 'https://monitor.example/api/v1/syncs/sync_q'], [$asked->method, $asked->url]);
    $this->site->answer(new Answer(200, [], (string) json_encode([
      'status' => 'succeeded',
      'result' => json_decode(FakeSite::applied('one')->body),
    ])));
    self::assertSame(Outcome::REPORTED, $this->cron()->status);
    self::assertCount(3, $this->site->requests);
    $this->later(3600);
    $this->site->answer(FakeSite::applied('two'));
    $this->cron();
    self::assertSame('full', $this->site->sent()['sync_type']);
  }

  /**
   * A queued report that nobody ever hears of again blocks nothing for long.
   */
  public function testQueuedForever(): void {
    $this->site->answer(new Answer(202, [], '{"sync_id":"sync_q","status":"queued"}'), new Answer(200, [], '{"status":"running"}'));
    $this->cron();
    $this->later(86401);
    $this->cron();
    $this->site->answer(FakeSite::applied());
    $this->cron();
    self::assertSame('POST', end($this->site->requests)->method);
  }

  /**
   * Trouble is logged once, waited out, and its end is told.
   */
  public function testBackoff(): void {
    $this->site->answer(FakeSite::problem(503, 'overloaded', ['retry-after' => '120']));
    $this->cron();
    $this->site->now += 119;
    self::assertSame(Outcome::SKIPPED, $this->cron()->status);
    $this->site->reporter()->noteChange();
    self::assertSame(Outcome::SKIPPED, $this->cron()->status, 'Changes wait, too.');
    $this->site->now += 1;
    $this->cron();
    self::assertCount(2, $this->site->requests);
    self::assertCount(1, $this->site->log);
    self::assertStringStartsWith('error: The server could not take the report. (503 overloaded: details)', $this->site->log[0]);

    $this->later(86400);
    $this->site->answer(FakeSite::applied());
    $this->cron();
    self::assertSame('notice: Reporting works again.', $this->site->log[1]);
    self::assertNull($this->site->reporter()->status()->problem);
  }

  /**
   * A refusal waits longer each time, and a new key is tried at once.
   */
  public function testNewCredentials(): void {
    $this->site->answer(FakeSite::problem(401, 'key-invalid'));
    $this->cron();
    $this->site->now += 3599;
    self::assertSame(Outcome::SKIPPED, $this->cron()->status);
    $this->site->settings['key'] = 'mm_c_d';
    $this->site->answer(FakeSite::applied());
    self::assertSame(Outcome::REPORTED, $this->cron()->status);
  }

  /**
   * A report that is too large goes again without descriptions.
   */
  public function testTooLarge(): void {
    $this->site->answer(FakeSite::problem(413, 'body-too-large'));
    $this->cron();
    $this->site->answer(FakeSite::applied());
    self::assertSame(Outcome::REPORTED, $this->cron()->status);
    self::assertSame([], $this->site->log);
  }

  /**
   * A copy is silent until it has a key of its own, or is no copy.
   */
  public function testCopy(): void {
    $this->site->answer(FakeSite::applied());
    $this->cron();
    $this->site->url = 'http://www.city.example/';
    $this->later(3600);
    self::assertSame(Outcome::REPORTED, $this->cron()->status, 'That is the same address.');

    $this->site->url = 'https://staging.city.example';
    $this->site->environment = 'staging';
    $this->later(3600);
    $sent = count($this->site->requests);
    $outcome = $this->cron();
    self::assertSame(Outcome::FAILED, $outcome->status);
    self::assertStringContainsString('https://staging.city.example (staging)', $outcome->message);
    $this->site->reporter()->runNow();
    self::assertCount($sent, $this->site->requests, 'Not even when somebody wants to.');
    self::assertSame('copy', $this->site->reporter()->status()->problem?->code);
    self::assertCount(1, $this->site->log);

    $copy = clone $this->site;
    $copy->settings['key'] = 'mm_own_key';
    self::assertSame(Outcome::REPORTED, $copy->reporter()->runIfDue()->status);
    self::assertSame(Outcome::REPORTED, $this->site->reporter()->runNow(FALSE, TRUE)->status);
    $this->later(3600);
    self::assertSame(Outcome::REPORTED, $this->cron()->status);
  }

  /**
   * Settings that lead nowhere, and what is said of them.
   *
   * @dataProvider settings
   */
  public function testSettings(array $settings, string $code): void {
    $this->site->settings = $settings + $this->site->settings;
    self::assertSame(Outcome::FAILED, $this->cron()->status);
    $this->cron();
    self::assertSame([], $this->site->requests);
    self::assertSame($code, $this->site->reporter()->status()->problem?->code);
    self::assertCount($code === 'not-configured' ? 0 : 1, $this->site->log);
    self::assertStringNotContainsString('mm_a', implode("\n", $this->site->log));
  }

  /**
   * The settings.
   */
  public static function settings(): array {
    return [
      'nothing' => [['url' => '', 'site_id' => '', 'key' => ''], 'not-configured'],
      'not encrypted' => [['url' => 'http://monitor.example'], 'not-encrypted'],
      'no address' => [['url' => 'monitor.example'], 'bad-address'],
      'an address with a password' => [['url' => 'https://me:secret@monitor.example'], 'bad-address'],
      'no key' => [['key' => ''], 'no-key'],
      'half a key' => [['key' => 'mm_a b'], 'bad-key'],
      'no site' => [['site_id' => ''], 'no-site'],
    ];
  }

  /**
   * Whatever is thrown stays inside, is told once and waited out.
   */
  public function testExceptions(): void {
    $this->site->answer(FakeSite::applied('one'));
    $this->site->broken = new \TypeError('a broken info file');
    self::assertSame(Outcome::FAILED, $this->cron()->status);
    self::assertSame(Outcome::SKIPPED, $this->cron()->status);
    self::assertFalse($this->site->locked);
    self::assertCount(1, $this->site->log);
    self::assertStringContainsString('a broken info file', $this->site->log[0]);
    $this->site->broken = NULL;
    $this->later(86400);
    self::assertSame(Outcome::REPORTED, $this->cron()->status);
  }

  /**
   * Two processes do not report at the same time.
   */
  public function testLock(): void {
    $this->site->locked = TRUE;
    self::assertSame(Outcome::SKIPPED, $this->cron()->status);
    self::assertSame([], $this->site->requests);
  }

  /**
   * A preview sends nothing, remembers nothing and shows no secret.
   */
  public function testPreview(): void {
    $preview = $this->site->reporter()->preview();
    self::assertSame(['node', 'system'], array_column($preview['modules'], 'machine_name'));
    self::assertSame([[], []], [$this->site->requests, $this->site->memory]);
    self::assertStringNotContainsString('mm_a_b', (string) json_encode($preview));
    self::assertStringNotContainsString('mm_a_b', print_r($this->site->reporter()->status()->rows(), TRUE));
  }

  /**
   * Warnings of the server are logged when they are new.
   */
  public function testWarnings(): void {
    $this->site->answer(FakeSite::applied(NULL, ['warnings' => ['Unknown module: x']]));
    $this->cron();
    $this->later(3600);
    $this->cron();
    self::assertSame(['notice: The server says: Unknown module: x'], $this->site->log);
  }

  /**
   * One run of cron.
   */
  private function cron(): Outcome {
    return $this->site->reporter()->runIfDue();
  }

  /**
   * Lets time pass.
   */
  private function later(int $seconds): void {
    $this->site->now += $seconds;
  }

}
