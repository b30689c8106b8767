<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Sync;

/**
 * What an answer means, and when the module comes back.
 */
final class Verdict {

  public const APPLIED = 'applied';

  public const QUEUED = 'queued';

  public const LATER = 'later';

  public const REFUSED = 'refused';

  /**
   * Takes all of it.
   *
   * @param string $kind
   *   One of the constants: applied, queued, to be tried later although nothing
   *   is wrong with the report, or refused until somebody does something.
   * @param int $wait
   *   Seconds until the next attempt.
   * @param \Drupal\module_monitor_client\Sync\Problem|null $problem
   *   What to tell people; NULL where all is well.
   * @param array $result
   *   The server's figures, where the report was applied.
   * @param string|null $state
   *   What the next delta is based on.
   * @param string|null $syncId
   *   The queued report to ask for.
   * @param bool $slim
   *   Whether the report was too large as it was.
   */
  public function __construct(
    public readonly string $kind,
    public readonly int $wait,
    public readonly ?Problem $problem = NULL,
    public readonly array $result = [],
    public readonly ?string $state = NULL,
    public readonly ?string $syncId = NULL,
    public readonly bool $slim = FALSE,
  ) {}

}
