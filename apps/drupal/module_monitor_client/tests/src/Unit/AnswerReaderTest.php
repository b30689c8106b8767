<?php

declare(strict_types=1);

namespace Drupal\Tests\module_monitor_client\Unit;

use Drupal\module_monitor_client\Sync\Answer;
use Drupal\module_monitor_client\Sync\AnswerReader;
use Drupal\module_monitor_client\Sync\Verdict;
use PHPUnit\Framework\TestCase;

/**
 * Each answer means what the API guide says; one table for both modules.
 *
 * @group module_monitor_client
 */
final class AnswerReaderTest extends TestCase {

  /**
   * The moment of all these tests: 2026-01-31T09:30:00Z.
   */
  private const NOW = 1769851800;

  /**
   * The table that the module for Drupal 7 shares.
   */
  public static function answers(): iterable {
    foreach (json_decode((string) file_get_contents(__DIR__ . '/../../../../tests/answers.json'), TRUE) as $case) {
      yield $case['name'] => [$case];
    }
  }

  /**
   * An answer to a report.
   *
   * @dataProvider answers
   */
  public function testReport(array $case): void {
    $reader = new AnswerReader($case['sync_type'] ?? 'full', $case['failures'] ?? 0, '7', $case['slimmed'] ?? FALSE, self::NOW);
    $body = $case['text'] ?? (isset($case['body']) ? json_encode($case['body']) : '');
    $verdict = $reader->report(new Answer($case['status'], $case['headers'] ?? [], $body));

    self::assertSame($case['kind'], $verdict->kind);
    if (is_array($case['wait'] ?? NULL)) {
      self::assertGreaterThanOrEqual($case['wait'][0], $verdict->wait);
      self::assertLessThanOrEqual($case['wait'][1], $verdict->wait);
    }
    elseif (isset($case['wait'])) {
      self::assertSame($case['wait'], $verdict->wait);
    }
    self::assertSame($case['state'] ?? NULL, $verdict->state);
    self::assertSame($case['sync_id'] ?? NULL, $verdict->syncId);
    self::assertSame($case['slim'] ?? FALSE, $verdict->slim);
    if (isset($case['code'])) {
      self::assertSame($case['code'], $verdict->problem?->code ?? '');
    }
    if ($verdict->problem !== NULL) {
      self::assertNotSame('', $verdict->problem->advice, 'It says what to do.');
      self::assertStringContainsString($case['says'] ?? '', (string) $verdict->problem);
    }
    if (isset($case['warnings'])) {
      self::assertSame($case['warnings'], $verdict->result['warnings']);
    }
  }

  /**
   * What became of a queued report.
   */
  public function testFollowUp(): void {
    $result = ['success' => TRUE, 'sync_id' => 'sync_2', 'processed_count' => 4, 'state' => 'abc'];
    self::assertNull($this->followUp(200, ['status' => 'queued']));
    self::assertNull($this->followUp(200, ['status' => 'running']));
    self::assertNull($this->followUp(503, []));
    self::assertNull($this->followUp(0, []));
    $applied = $this->followUp(200, ['status' => 'succeeded', 'result' => $result]);
    self::assertSame(Verdict::APPLIED, $applied?->kind);
    self::assertSame(4, $applied->result['processed_count']);
    self::assertNull($this->followUp(200, ['status' => 'superseded'])?->problem);
    self::assertNull($this->followUp(404, ['code' => 'sync-not-found'])?->problem);
    $failed = $this->followUp(200, ['status' => 'failed', 'reason' => 'base-mismatch']);
    self::assertSame('queued-failed', $failed?->problem?->code);
    self::assertStringContainsString('base-mismatch', (string) $failed->problem);
  }

  /**
   * Sites that failed together do not come back together.
   */
  public function testSitesComeBackAtTheirOwnTimes(): void {
    $waits = [];
    for ($site = 0; $site < 500; $site++) {
      $waits[] = (new AnswerReader('full', 6, "site-$site", FALSE, self::NOW))->report(new Answer(503))->wait;
    }
    self::assertGreaterThan(300, count(array_unique($waits)));
  }

  /**
   * The verdict on an answer to the question for a queued report.
   */
  private function followUp(int $status, array $body): ?Verdict {
    return (new AnswerReader('full', 0, '7', FALSE, self::NOW))->followUp(new Answer($status, [], (string) json_encode($body)));
  }

}
