<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Sync;

/**
 * What the module remembers from one run to the next.
 *
 * The digests of the last list are kept apart, since only a report needs them.
 */
final class SyncState {

  /**
   * When the next scheduled report is due.
   */
  public int $nextAt = 0;

  /**
   * Until when nothing is tried by itself, whatever happens.
   */
  public int $notBefore = 0;

  /**
   * Attempts that failed in a row.
   */
  public int $failures = 0;

  /**
   * Whose backoff that is: new credentials are tried at once.
   */
  public string $credentials = '';

  /**
   * What the next delta is based on; NULL: a full report is due.
   */
  public ?string $base = NULL;

  /**
   * When the last full report was applied.
   */
  public int $fullAt = 0;

  /**
   * When the last report of any kind was applied.
   */
  public int $appliedAt = 0;

  /**
   * When the server was last asked anything.
   */
  public int $attemptAt = 0;

  /**
   * The queued report that the module follows up, or NULL.
   */
  public ?string $pending = NULL;

  /**
   * Since when it does.
   */
  public int $pendingAt = 0;

  /**
   * Whether reports leave out what can be left out.
   */
  public bool $slim = FALSE;

  /**
   * The digest of the key that was last accepted.
   */
  public string $key = '';

  /**
   * The address it was accepted for.
   */
  public ?string $url = NULL;

  /**
   * The environment it was accepted for.
   */
  public ?string $environment = NULL;

  /**
   * What is wrong now: the code, the text and the advice, or nothing.
   *
   * @var string[]
   */
  public array $problem = [];

  /**
   * What the log has been told already.
   */
  public string $logged = '';

  /**
   * The server's figures of the last applied report.
   *
   * @var array<string, mixed>
   */
  public array $result = [];

  /**
   * Notes on the last list.
   *
   * @var string[]
   */
  public array $notes = [];

  /**
   * Reads what toArray() made; what does not fit is as if it were new.
   */
  public static function fromArray(array $values): self {
    $state = new self();
    foreach (get_object_vars($state) as $name => $default) {
      $value = $values[$name] ?? NULL;
      if ($value !== NULL && ($default === NULL ? is_string($value) : gettype($value) === gettype($default))) {
        $state->$name = $value;
      }
    }
    return $state;
  }

  /**
   * All of it as plain values.
   */
  public function toArray(): array {
    return get_object_vars($this);
  }

  /**
   * Whose key it was when it was last accepted.
   */
  public function identity(): Identity {
    return new Identity($this->url, $this->environment);
  }

  /**
   * What is wrong now, or NULL.
   */
  public function currentProblem(): ?Problem {
    return count($this->problem) === 3 ? new Problem(...array_values($this->problem)) : NULL;
  }

  /**
   * Writes down what is wrong, or that nothing is.
   */
  public function setProblem(?Problem $problem): void {
    $this->problem = $problem === NULL ? [] : [$problem->code, $problem->text, $problem->advice];
  }

  /**
   * Forgets the waiting for a server, a site or a key that is no longer used.
   *
   * @return bool
   *   Whether there was anything to forget.
   */
  public function meet(Credentials $credentials): bool {
    if ($this->credentials === $credentials->fingerprint()) {
      return FALSE;
    }
    $this->credentials = $credentials->fingerprint();
    $this->nextAt = $this->notBefore = $this->failures = $this->fullAt = 0;
    $this->base = $this->pending = NULL;
    $this->slim = FALSE;
    $this->problem = [];
    return TRUE;
  }

  /**
   * Writes down what became of a report.
   *
   * @return bool
   *   Whether the list that was sent may be the base of a delta.
   */
  public function take(Verdict $verdict, string $sync_type, int $now): bool {
    $this->setProblem($verdict->problem);
    $this->base = $verdict->state;
    $this->slim = $this->slim || $verdict->slim;
    switch ($verdict->kind) {
      case Verdict::APPLIED:
        $this->failures = $this->notBefore = 0;
        $this->nextAt = $now + $verdict->wait;
        $this->appliedAt = $now;
        $this->fullAt = $sync_type === 'full' ? $now : $this->fullAt;
        $this->result = $verdict->result;
        $this->pending = NULL;
        return $verdict->state !== NULL;

      case Verdict::QUEUED:
        $this->failures = $this->notBefore = 0;
        $this->nextAt = $now + $verdict->wait;
        $this->pending = $verdict->syncId;
        $this->pendingAt = $now;
        return FALSE;
    }
    $this->failures++;
    $this->nextAt = $this->notBefore = $now + $verdict->wait;
    return FALSE;
  }

}
