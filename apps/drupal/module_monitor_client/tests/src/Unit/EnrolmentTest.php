<?php

declare(strict_types=1);

namespace Drupal\Tests\module_monitor_client\Unit;

use Drupal\module_monitor_client\Enrolment\SecretBox;
use Drupal\module_monitor_client\Sync\Answer;
use Drupal\module_monitor_client\Sync\Outcome;
use PHPUnit\Framework\TestCase;

/**
 * A site gets a key of its own, once, and keeps it to itself.
 *
 * @group module_monitor_client
 */
final class EnrolmentTest extends TestCase {

  /**
   * A site with a token and without a key.
   */
  private FakeSite $site;

  /**
   * {@inheritdoc}
   */
  protected function setUp(): void {
    $this->site = new FakeSite();
    $this->site->settings = ['url' => 'https://monitor.example', 'site_id' => '', 'key' => '', 'token' => 'mmt_token'];
  }

  /**
   * One cron run enrols and reports, and the key is nowhere to be read.
   */
  public function testEnrol(): void {
    $this->site->answer(self::key(), FakeSite::applied());
    self::assertSame(Outcome::REPORTED, $this->cron()->status);
    [$enrol, $report] = $this->site->requests;
    self::assertSame('https://monitor.example/api/v1/enroll', $enrol->url);
    self::assertSame('mmt_token', $enrol->headers['X-API-Key']);
    self::assertGreaterThanOrEqual(32, strlen($enrol->headers['Idempotency-Key']));
    self::assertSame(['name' => 'City', 'url' => 'https://city.example', 'environment' => 'production'], json_decode((string) gzdecode($enrol->body), TRUE));
    self::assertSame('https://monitor.example/api/v1/sites/4711/modules/sync', $report->url);
    self::assertSame('mm_own_key', $report->headers['X-API-Key']);
    self::assertStringNotContainsString('mm_own_key', serialize($this->site->memory) . implode('', $this->site->log));

    $this->site->now += 3600;
    $this->cron();
    self::assertCount(3, $this->site->requests, 'It does not enrol again.');
    self::assertSame('enrolment', $this->site->reporter()->status()->credentials->keySource);
  }

  /**
   * A lost answer is asked for again with the same secret and the same body.
   */
  public function testLostAnswer(): void {
    $this->site->answer(Answer::none('timeout'));
    self::assertSame(Outcome::FAILED, $this->cron()->status);
    $this->cron();
    self::assertCount(1, $this->site->requests, 'One attempt, then it waits.');
    $this->site->now += 100000;
    $this->site->answer(self::key(), FakeSite::applied());
    self::assertSame(Outcome::REPORTED, $this->cron()->status);
    [$first, $second] = $this->site->requests;
    self::assertSame($first->headers['Idempotency-Key'], $second->headers['Idempotency-Key']);
    self::assertSame($first->body, $second->body);
  }

  /**
   * A copy of a database asks in its own name.
   */
  public function testCopyWhileAsking(): void {
    $this->site->answer(new Answer(503));
    $this->cron();
    $this->site->url = 'https://staging.example';
    $this->site->reporter()->enrol();
    [$first, $second] = $this->site->requests;
    self::assertNotSame($first->headers['Idempotency-Key'], $second->headers['Idempotency-Key']);
  }

  /**
   * Refusals: said once, repeated rarely, and never a second site.
   */
  public function testRefusals(): void {
    foreach ([
      [409, 'already-enrolled'],
      [403, 'token-expired'],
      [401, 'key-invalid'],
      [422, 'validation-failed'],
      [404, 'not-found'],
    ] as [$status, $code]) {
      $this->setUp();
      $this->site->answer(FakeSite::problem($status, $code));
      self::assertSame(Outcome::FAILED, $this->cron()->status);
      $this->site->now += 3599;
      $this->cron();
      self::assertCount(1, $this->site->requests, $code);
      self::assertCount(1, $this->site->log, $code);
      self::assertStringNotContainsString('mmt_token', $this->site->log[0]);
      self::assertSame($code, $this->site->reporter()->status()->problem?->code);
      $this->site->now += 1;
      $this->cron();
      self::assertSame($this->site->requests[0]->headers['Idempotency-Key'], $this->site->requests[1]->headers['Idempotency-Key']);
    }
  }

  /**
   * Nonsense instead of a key.
   */
  public function testNonsense(): void {
    $this->site->answer(new Answer(200, [], '<html>'));
    self::assertSame('not-our-server', $this->problemAfter());
    $this->setUp();
    $this->site->url = NULL;
    self::assertSame('no-base-url', $this->problemAfter());
    self::assertSame([], $this->site->requests);
  }

  /**
   * A copy with another hash salt does not have the key, and says so.
   */
  public function testOtherSalt(): void {
    $this->site->answer(self::key(), FakeSite::applied());
    $this->cron();
    $this->site->salt = 'another';
    $this->site->now += 3600;
    self::assertSame(Outcome::FAILED, $this->cron()->status);
    self::assertSame('foreign-key', $this->site->reporter()->status()->problem?->code);
    self::assertCount(2, $this->site->requests);
    $this->site->answer(self::key());
    self::assertSame(Outcome::REPORTED, $this->site->reporter()->enrol('mmt_other')->status);
    self::assertSame('mmt_other', end($this->site->requests)->headers['X-API-Key']);
  }

  /**
   * A copy with the same salt gets its own key when somebody says so.
   */
  public function testCopyOfAnEnrolledSite(): void {
    $this->site->answer(self::key(), FakeSite::applied());
    $this->cron();
    self::assertSame(Outcome::SKIPPED, $this->site->reporter()->enrol()->status);
    $this->site->url = 'https://staging.example';
    self::assertSame('copy', $this->site->reporter()->status()->problem?->code);
    $this->site->answer(self::key('4712', 'mm_copy_key'), FakeSite::applied());
    self::assertSame(Outcome::REPORTED, $this->site->reporter()->enrol()->status);
    self::assertSame(Outcome::REPORTED, $this->cron()->status);
    self::assertSame('mm_copy_key', end($this->site->requests)->headers['X-API-Key']);
  }

  /**
   * A key from elsewhere is never replaced.
   */
  public function testConfiguredKeyWins(): void {
    $this->site->settings['key'] = 'mm_a_b';
    self::assertSame(Outcome::FAILED, $this->site->reporter()->enrol()->status);
    $this->site->settings = ['key' => '', 'token' => ''] + $this->site->settings;
    self::assertSame(Outcome::FAILED, $this->site->reporter()->enrol()->status);
    self::assertSame([], $this->site->requests);
  }

  /**
   * What is sealed opens with the same salt, whole, and not otherwise.
   */
  public function testSecretBox(): void {
    $box = new SecretBox('salt');
    $sealed = $box->seal('mm_a_b');
    self::assertNotSame($sealed, $box->seal('mm_a_b'));
    self::assertSame('mm_a_b', $box->open($sealed));
    self::assertNull((new SecretBox('other'))->open($sealed));
    for ($i = 0; $i < strlen($sealed); $i++) {
      $changed = $sealed;
      $changed[$i] = $changed[$i] === 'A' ? 'B' : 'A';
      self::assertNotSame('mm_a_c', $box->open($changed));
      self::assertContains($box->open($changed), [NULL, 'mm_a_b']);
    }
    self::assertNull($box->open(''));
    self::assertNull($box->open('v1:AAAA'));
    $this->expectException(\RuntimeException::class);
    new SecretBox('');
  }

  /**
   * The code of the problem that a cron run leaves.
   */
  private function problemAfter(): ?string {
    $this->cron();
    return $this->site->reporter()->status()->problem?->code;
  }

  /**
   * One run of cron.
   */
  private function cron(): Outcome {
    return $this->site->reporter()->runIfDue();
  }

  /**
   * An answer with a key.
   */
  private static function key(string $site = '4711', string $key = 'mm_own_key'): Answer {
    return new Answer(201, [], (string) json_encode(['site_id' => (int) $site, 'api_key' => $key]));
  }

}
