<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Sync;

/**
 * What a run did, for whoever has started it.
 */
final class Outcome {

  public const REPORTED = 'reported';

  public const QUEUED = 'queued';

  public const SKIPPED = 'skipped';

  public const FAILED = 'failed';

  /**
   * Takes all of it.
   *
   * @param string $status
   *   One of the constants.
   * @param string $message
   *   What to tell people.
   * @param string $syncType
   *   The kind of report that was sent: full or delta; empty where none was.
   */
  public function __construct(
    public readonly string $status,
    public readonly string $message,
    public readonly string $syncType = '',
  ) {}

  /**
   * What went wrong.
   */
  public static function problem(Problem $problem, string $sync_type = ''): self {
    return new self(self::FAILED, (string) $problem, $sync_type);
  }

  /**
   * What came of a report, in a sentence.
   */
  public static function of(Verdict $verdict, string $sync_type = ''): self {
    $figure = static fn (string $name): int => $verdict->result[$name] ?? 0;
    return match ($verdict->kind) {
      Verdict::APPLIED => new self(self::REPORTED, sprintf(
        '%d extensions reported: %d new, %d updated, %d removed; %d need a security update.',
        $figure('processed_count'),
        $figure('new_modules'),
        $figure('updated_modules'),
        $figure('removed_modules'),
        $figure('security_updates_found'),
      ), $sync_type),
      Verdict::QUEUED => new self(self::QUEUED, 'The server has stored the report and applies it in its turn.', $sync_type),
      default => $verdict->problem === NULL
        ? new self(self::SKIPPED, 'The next run sends a full report.', $sync_type)
        : self::problem($verdict->problem, $sync_type),
    };
  }

}
