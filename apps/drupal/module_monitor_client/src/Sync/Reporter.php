<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Sync;

use Drupal\module_monitor_client\Enrolment\Enrolment;
use Drupal\module_monitor_client\Enrolment\SecretBox;
use Drupal\module_monitor_client\Report\Digests;
use Drupal\module_monitor_client\Report\Report;

/**
 * Reports when it is time, and does the right thing with the answer.
 *
 * One attempt a run, one run at a time, and no exception ever leaves it.
 */
final class Reporter {

  /**
   * The longest time between two full reports, in seconds.
   */
  private const FULL_EVERY = 86400;

  /**
   * How long a queued report is followed up, in seconds.
   */
  private const FOLLOW_UP_FOR = 86400;

  /**
   * Takes the site, what it remembers, the line, the log and the clock.
   *
   * @param \Drupal\module_monitor_client\Sync\SiteInterface $site
   *   The site.
   * @param \Drupal\module_monitor_client\Sync\StoreInterface $store
   *   What is remembered.
   * @param \Drupal\module_monitor_client\Sync\TransportInterface $transport
   *   The line to the server.
   * @param \Drupal\module_monitor_client\Sync\Journal $journal
   *   The log.
   * @param \Closure(): int $clock
   *   The time in Unix seconds.
   */
  public function __construct(
    private readonly SiteInterface $site,
    private readonly StoreInterface $store,
    private readonly TransportInterface $transport,
    private readonly Journal $journal,
    private readonly \Closure $clock,
  ) {}

  /**
   * Remembers that extensions may have changed; one small write.
   */
  public function noteChange(): void {
    $this->guard(function (): Outcome {
      $this->store->set('changed', ['at' => ($this->clock)(), 'by' => bin2hex(random_bytes(4))]);
      return new Outcome(Outcome::SKIPPED, '');
    });
  }

  /**
   * Reports if it is time, for cron and the queue.
   */
  public function runIfDue(): Outcome {
    return $this->alone(fn (): Outcome => $this->run(FALSE, FALSE));
  }

  /**
   * Reports now, because somebody wants to.
   *
   * @param bool $full
   *   Whether to send the whole list, whatever the server has already.
   * @param bool $moved
   *   Whether that somebody says that the site has moved: its key is good for
   *   the new address and environment, too.
   */
  public function runNow(bool $full = FALSE, bool $moved = FALSE): Outcome {
    return $this->alone(function () use ($full, $moved): Outcome {
      if ($moved) {
        $state = $this->state();
        $state->key = '';
        $this->save($state);
      }
      return $this->run(TRUE, $full);
    });
  }

  /**
   * Gets the site a key of its own, in place of one from an earlier enrolment.
   *
   * @param string $token
   *   The enrolment token; empty for the configured one.
   */
  public function enrol(#[\SensitiveParameter] string $token = ''): Outcome {
    return $this->alone(function () use ($token): Outcome {
      $given = $this->site->credentials();
      if ($given->key !== '') {
        return new Outcome(Outcome::FAILED, "The site has a key already (from $given->keySource). Remove it there first.");
      }
      $credentials = new Credentials($given->url, '', '', $token ?: $given->token, '', $given->insecure);
      if ($problem = $credentials->addressProblem()) {
        return Outcome::problem($problem);
      }
      $enrolment = $this->enrolment();
      $kept = $enrolment->complete($credentials);
      $state = $this->state();
      if ($kept->key !== '' && Ownership::problem($state, $kept, $this->site->identity()) === NULL) {
        return new Outcome(Outcome::SKIPPED, "The site is enrolled already, with the id $kept->siteId.");
      }
      if (!$credentials->mayEnrol()) {
        return new Outcome(Outcome::FAILED, 'There is no enrolment token.');
      }
      $result = $enrolment->enrol($credentials, $this->site->identity(), $this->site->name());
      if ($result instanceof Problem) {
        return Outcome::problem($result);
      }
      $state->meet($result);
      $state->setProblem(NULL);
      $this->save($state);
      $this->journal->enrolled($result);
      return new Outcome(Outcome::REPORTED, "The site is enrolled, with the id $result->siteId.");
    });
  }

  /**
   * The report as it would be sent now, for people to look at.
   *
   * @return array
   *   The request's body, a delta where one would be sent.
   */
  public function preview(bool $full = FALSE): array {
    $state = $this->state();
    $now = ($this->clock)();
    $report = $this->report($state, $now);
    return $this->body($report, $state, $now, $full)[1];
  }

  /**
   * Where things stand, for status pages; asks nobody anything.
   */
  public function status(): Status {
    $state = $this->state();
    $given = $this->site->credentials();
    $foreign = FALSE;
    try {
      $credentials = $this->enrolment()->complete($given);
      $foreign = $given->key === '' && $this->enrolment()->isForeign();
    }
    catch (\RuntimeException) {
      $credentials = $given;
    }
    $problem = $credentials->mayEnrol() ? $credentials->addressProblem() : $credentials->problem();
    if ($foreign) {
      $problem = Ownership::foreignKey();
    }
    $problem ??= Ownership::problem($state, $credentials, $this->site->identity());
    $problem ??= $state->currentProblem();
    return new Status($credentials, $this->site->identity(), $state, $problem);
  }

  /**
   * One run: follow up, report, or nothing.
   */
  private function run(bool $force, bool $full): Outcome {
    $now = ($this->clock)();
    $state = $this->state();
    $credentials = $this->credentials($state, $now, $force);
    if ($credentials instanceof Problem) {
      return $this->stop($state, $credentials);
    }
    if ($state->meet($credentials)) {
      // Before anything can go wrong, or its backoff would be forgotten.
      $this->save($state);
    }
    if ($copy = Ownership::problem($state, $credentials, $this->site->identity())) {
      return $this->stop($state, $copy);
    }
    if (!$force && $now < $state->notBefore) {
      return new Outcome(Outcome::SKIPPED, 'The module waits after a failure.');
    }
    if (!$force && $state->pending !== NULL) {
      return $this->followUp($state, $credentials, $now);
    }
    $changed = $this->store->get('changed');
    $due = $force || $now >= $state->nextAt;
    if (!$due && $changed === []) {
      return new Outcome(Outcome::SKIPPED, 'The next report is not due yet.');
    }
    $report = $this->report($state, $now);
    if (!$due && $report->matches($this->digests())) {
      $this->changesSeen($changed);
      return new Outcome(Outcome::SKIPPED, 'Nothing has changed since the last report.');
    }
    return $this->send($report, $state, $credentials, $now, $full, $changed);
  }

  /**
   * The credentials, after an enrolment where that is what it takes.
   */
  private function credentials(SyncState $state, int $now, bool $force): Credentials|Problem {
    $given = $this->site->credentials();
    if ($given->key !== '') {
      return $given->problem() ?? $given;
    }
    if ($problem = $given->addressProblem()) {
      return $problem;
    }
    $enrolment = $this->enrolment();
    $credentials = $enrolment->complete($given);
    if ($credentials->key !== '' || !$credentials->mayEnrol()) {
      return $enrolment->isForeign() ? Ownership::foreignKey() : ($credentials->problem() ?? $credentials);
    }
    if ($enrolment->isForeign()) {
      return Ownership::foreignKey();
    }
    $state->meet($credentials);
    if (!$force && $now < $state->notBefore) {
      return $state->currentProblem() ?? new Problem('no-key', 'The module waits before it asks for a key again.');
    }
    $result = $enrolment->enrol($credentials, $this->site->identity(), $this->site->name());
    $state->attemptAt = $now;
    if ($result instanceof Problem) {
      $state->notBefore = $now + $enrolment->wait($result, $state->failures, (string) $this->site->identity()->url);
      $state->failures++;
    }
    $state->setProblem($result instanceof Problem ? $result : NULL);
    return $result;
  }

  /**
   * Sends, and writes down what came of it.
   */
  private function send(Report $report, SyncState $state, Credentials $credentials, int $now, bool $full, array $changed): Outcome {
    [$sync_type, $body] = $this->body($report, $state, $now, $full);
    // Should the process die on the way, the next report is a full one.
    $state->base = NULL;
    $state->attemptAt = $now;
    $state->notes = array_slice($report->notes, 0, 20);
    $this->save($state);

    $answer = $this->transport->send(Request::sync($credentials, $body));
    $reader = new AnswerReader($sync_type, $state->failures, $credentials->siteId, $state->slim, $now);
    $verdict = $reader->report($answer);
    $warnings = $state->result['warnings'] ?? [];
    $is_base = $state->take($verdict, $sync_type, $now);
    if ($verdict->kind === Verdict::APPLIED || $verdict->kind === Verdict::QUEUED) {
      $this->store->set('sent', Digests::of($report->items));
      Ownership::accept($state, $credentials, $this->site->identity());
      $this->changesSeen($changed);
    }
    if (!$is_base) {
      $state->base = NULL;
    }
    $this->journal->write($state, $warnings);
    $this->save($state);
    return Outcome::of($verdict, $sync_type);
  }

  /**
   * Asks for a queued report, once a run.
   */
  private function followUp(SyncState $state, Credentials $credentials, int $now): Outcome {
    $answer = $this->transport->send(Request::followUp($credentials, (string) $state->pending));
    $state->attemptAt = $now;
    $reader = new AnswerReader('full', $state->failures, $credentials->siteId, $state->slim, $now);
    $verdict = $reader->followUp($answer);
    if ($verdict === NULL) {
      if ($now - $state->pendingAt > self::FOLLOW_UP_FOR) {
        $state->pending = NULL;
      }
      // A server in trouble is left alone for as long as it asks.
      if ($answer->status !== 200) {
        $state->notBefore = $now + Backoff::asked($answer->retryAfter($now), Backoff::trouble(0, $credentials->siteId));
      }
      $this->save($state);
      return new Outcome(Outcome::QUEUED, 'The last report is still in the queue of the server.');
    }
    $state->pending = NULL;
    $warnings = $state->result['warnings'] ?? [];
    if ($verdict->kind === Verdict::APPLIED) {
      $state->take($verdict, 'full', $now);
    }
    else {
      $state->setProblem($verdict->problem);
      $state->nextAt = $verdict->problem === NULL ? $state->nextAt : $now;
    }
    // After a 202 the next report is a full one.
    $state->base = NULL;
    $this->journal->write($state, $warnings);
    $this->save($state);
    return Outcome::of($verdict);
  }

  /**
   * The list, made now.
   */
  private function report(SyncState $state, int $now): Report {
    return Report::of($this->site->inventory(), $this->digests(), $now, $state->slim);
  }

  /**
   * The kind of report to send, and the request's body.
   *
   * @return array{string, array}
   *   Full or delta, and the body.
   */
  private function body(Report $report, SyncState $state, int $now, bool $full): array {
    $digests = $this->digests();
    if ($full || $state->base === NULL || $digests === [] || $now - $state->fullAt >= self::FULL_EVERY || $now < $state->fullAt) {
      return ['full', $report->full()];
    }
    return ['delta', $report->delta($state->base, $digests)];
  }

  /**
   * Ends a run that cannot report.
   */
  private function stop(SyncState $state, Problem $problem): Outcome {
    // A module that nobody has configured yet has nothing to complain about.
    if ($problem->code !== 'not-configured') {
      $this->journal->complain($state, $problem);
    }
    if ($state->toArray() !== $this->store->get('state')) {
      $this->save($state);
    }
    return Outcome::problem($problem);
  }

  /**
   * Runs it unless another process reports just now.
   */
  private function alone(\Closure $run): Outcome {
    return $this->guard(function () use ($run): Outcome {
      if (!$this->store->lock()) {
        return new Outcome(Outcome::SKIPPED, 'Another process is reporting just now.');
      }
      try {
        return $run();
      }
      finally {
        $this->store->unlock();
      }
    });
  }

  /**
   * Turns whatever is thrown into a line of the log, and waits a while.
   */
  private function guard(\Closure $run): Outcome {
    try {
      return $run();
    }
    catch (\Throwable $thrown) {
      return $this->caught($thrown);
    }
  }

  /**
   * Writes down what was thrown, if that is still possible.
   */
  private function caught(\Throwable $thrown): Outcome {
    $text = sprintf('%s in %s:%d: %s', get_class($thrown), basename($thrown->getFile()), $thrown->getLine(), $thrown->getMessage());
    $problem = new Problem('exception', "Something in the module or the site went wrong: $text.", 'Look for a broken extension; otherwise report it as a bug of the module.');
    try {
      $now = ($this->clock)();
      $state = $this->state();
      $state->setProblem($problem);
      $state->notBefore = $now + Backoff::trouble($state->failures, $state->credentials);
      $state->failures++;
      $state->base = NULL;
      $this->journal->write($state, []);
      $this->save($state);
    }
    catch (\Throwable) {
      // Without a database there is nowhere to write to, and cron goes on.
    }
    return Outcome::problem($problem);
  }

  /**
   * Forgets a change, unless another one came meanwhile.
   */
  private function changesSeen(array $changed): void {
    if ($changed !== [] && $this->store->get('changed') === $changed) {
      $this->store->set('changed', []);
    }
  }

  /**
   * The digests of the last list that the server has taken.
   */
  private function digests(): array {
    return $this->store->get('sent');
  }

  /**
   * What is remembered.
   */
  private function state(): SyncState {
    return SyncState::fromArray($this->store->get('state'));
  }

  /**
   * Remembers it.
   */
  private function save(SyncState $state): void {
    $this->store->set('state', $state->toArray());
  }

  /**
   * What enrols, with the secret of the moment.
   */
  private function enrolment(): Enrolment {
    return new Enrolment($this->store, $this->transport, new SecretBox($this->site->hashSalt()));
  }

}
