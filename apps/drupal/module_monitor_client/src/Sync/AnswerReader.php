<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Sync;

use Drupal\module_monitor_client\Report\Text;

/**
 * Decides what each answer to a report means, as the server's API guide says.
 */
final class AnswerReader {

  private const HOUR = 3600;

  /**
   * The longest time to the next report, in seconds: one a day is the least.
   */
  private const LONGEST_WAIT = 86400;

  /**
   * Takes what the decision depends on beside the answer.
   *
   * @param string $syncType
   *   The kind of report that was answered: full or delta.
   * @param int $failures
   *   How many attempts have failed in a row before this one.
   * @param string $site
   *   The site's id, which spreads sites over time.
   * @param bool $slim
   *   Whether the report was sent without what can be left out.
   * @param int $now
   *   The time, in Unix seconds.
   */
  public function __construct(
    private readonly string $syncType,
    private readonly int $failures,
    private readonly string $site,
    private readonly bool $slim,
    private readonly int $now,
  ) {}

  /**
   * What the answer to a report means.
   */
  public function report(Answer $answer): Verdict {
    return match (TRUE) {
      $answer->status === 200 => $this->applied($answer->json()),
      $answer->status === 202 => $this->queued($answer),
      $answer->status >= 300 && $answer->status < 400 => $this->refused($answer, 'redirected', 'The server redirects elsewhere, and the key is not sent along.', 'Configure the address that it redirects to.'),
      $answer->status === 409 => $this->conflict($answer),
      $answer->status === 413 => $this->tooLarge($answer),
      $answer->status === 422 => $this->invalid($answer),
      $answer->status === 429 && $answer->code() === 'too-many-failures' => $this->refused($answer, '', 'Too many requests without a valid key came from here.', 'Correct the key.', $answer->retryAfter($this->now)),
      in_array($answer->status, [0, 408, 425, 429], TRUE), $answer->status >= 500 => $this->later($answer),
      default => $this->refused($answer),
    };
  }

  /**
   * What the answer to the question for a queued report means.
   *
   * NULL: it is not over yet, or could not be asked; ask again next time.
   */
  public function followUp(Answer $answer): ?Verdict {
    if ($answer->status !== 200) {
      // A sync that the server no longer knows is over, however it ended.
      return $answer->status === 404 ? new Verdict(Verdict::LATER, 0) : NULL;
    }
    $body = $answer->json();
    switch ($body['status'] ?? NULL) {
      case 'queued':
      case 'running':
        return NULL;

      case 'succeeded':
        return is_array($body['result'] ?? NULL) ? $this->applied($body['result']) : new Verdict(Verdict::LATER, 0);

      case 'superseded':
        return new Verdict(Verdict::LATER, 0);
    }
    $reason = self::text($body['reason'] ?? $body['status'] ?? 'no reason given');
    return new Verdict(Verdict::LATER, 0, new Problem('queued-failed', "The report was queued and then not applied: $reason.", 'A full report follows.'));
  }

  /**
   * A 200, if it is one of our server.
   */
  private function applied(array $body): Verdict {
    if (($body['success'] ?? NULL) !== TRUE || !is_string($body['sync_id'] ?? NULL)) {
      $problem = new Problem('not-our-server', 'Something answered that is not the server: the answer is not its JSON.', 'Check the address, and proxies and login pages before the server.');
      return new Verdict(Verdict::LATER, Backoff::trouble($this->failures, $this->site), $problem);
    }
    $next = is_string($body['next_sync_after'] ?? NULL) ? strtotime($body['next_sync_after']) : FALSE;
    $wait = $next === FALSE ? self::HOUR : min(self::LONGEST_WAIT, max(60, $next - $this->now));
    $state = $body['state'] ?? NULL;
    return new Verdict(Verdict::APPLIED, $wait, NULL, self::figures($body), is_string($state) && $state !== '' ? $state : NULL);
  }

  /**
   * A 202: stored, and applied in its turn.
   */
  private function queued(Answer $answer): Verdict {
    $id = $answer->json()['sync_id'] ?? NULL;
    $id = is_string($id) && preg_match('/^[A-Za-z0-9_-]{1,100}$/D', $id) ? $id : NULL;
    return new Verdict(Verdict::QUEUED, self::HOUR, NULL, [], NULL, $id);
  }

  /**
   * A 409: another report was there first, or another site.
   */
  private function conflict(Answer $answer): Verdict {
    switch ($answer->code()) {
      case 'base-mismatch':
        // A delta that does not fit is nobody's problem: the whole list does.
        return $this->fullAtOnce($answer);

      case 'stale-sync':
        // Once is a race with another report; more often it is the clock.
        $stale = $this->problem($answer, '', 'The server has a report with a later time.', 'Check the clock of this machine.');
        return $this->failures === 0 ? new Verdict(Verdict::LATER, 0) : new Verdict(Verdict::LATER, Backoff::trouble($this->failures, $this->site), $stale);

      case 'identity-conflict':
        return $this->refused($answer, '', 'The server takes this for a copy of the site.', 'Give the copy an id and a key of its own; where the site has moved, ask an administrator to accept it.');
    }
    return $this->later($answer);
  }

  /**
   * A 413: once more without what can be left out.
   */
  private function tooLarge(Answer $answer): Verdict {
    if ($this->slim) {
      return $this->refused($answer, '', 'The report is too large even without descriptions.', 'Ask the administrators of the server, or of a proxy before it, for a higher limit.');
    }
    return new Verdict(Verdict::LATER, 0, NULL, [], NULL, NULL, TRUE);
  }

  /**
   * A 422: of a delta, the whole list may still be taken.
   */
  private function invalid(Answer $answer): Verdict {
    if ($this->syncType === 'delta' || $answer->code() === 'idempotency-key-reused') {
      return $this->fullAtOnce($answer);
    }
    return $this->refused($answer, '', 'The server finds the report invalid' . self::errors($answer->json()) . '.', 'Update this module; if that does not help, report it as a bug of the module.');
  }

  /**
   * A full report in the next run, the first time; later it has to wait.
   */
  private function fullAtOnce(Answer $answer): Verdict {
    return $this->failures === 0 ? new Verdict(Verdict::LATER, 0) : $this->later($answer);
  }

  /**
   * Nothing is wrong with the report.
   */
  private function later(Answer $answer): Verdict {
    $wait = Backoff::asked($answer->retryAfter($this->now), Backoff::trouble($this->failures, $this->site));
    $problem = match (TRUE) {
      $answer->status === 0 => new Problem('no-answer', 'The server did not answer: ' . self::text($answer->body) . '.', 'Check the address, and whether this machine may reach it.'),
      $answer->status === 429 => $this->problem($answer, '', 'The site has sent as many reports as it may.', 'The module waits as long as the server asks; look for a second copy that uses the same key.'),
      default => $this->problem($answer, '', 'The server could not take the report.', 'The module tries again later; administrators of the server find the cause in its log.'),
    };
    return new Verdict(Verdict::LATER, $wait, $problem);
  }

  /**
   * Trying more often helps nothing: somebody has to do something.
   */
  private function refused(Answer $answer, string $code = '', string $text = '', string $advice = '', ?int $retry_after = NULL): Verdict {
    $wait = max(Backoff::refusal($this->failures), (int) $retry_after);
    return new Verdict(Verdict::REFUSED, $wait, $this->problem($answer, $code, $text, $advice));
  }

  /**
   * In words, with what the server itself says.
   */
  private function problem(Answer $answer, string $code = '', string $text = '', string $advice = ''): Problem {
    [$usual, $usual_advice] = match ($answer->status) {
      401 => [
        'The server does not take the key.',
        'Copy the whole key again, or ask an administrator of the server for a new one.',
      ],
      403 => [
        'The server does not let this site report.',
        'Ask an administrator of the server whether the site was deactivated.',
      ],
      404 => [
        'The server has no such site, or the key belongs to another one.',
        'Compare the id of the site with the one that came with the key.',
      ],
      default => [
        'The server refused the report.',
        'Update this module; if that does not help, report it as a bug of the module.',
      ],
    };
    $detail = self::text($answer->json()['detail'] ?? '');
    $said = trim("$answer->status " . $answer->code()) . ($detail === '' ? '' : ": $detail");
    $code = $code ?: $answer->code() ?: "http-$answer->status";
    return new Problem($code, ($text ?: $usual) . " ($said)", $advice ?: $usual_advice);
  }

  /**
   * Where the report is wrong, at most three places.
   */
  private static function errors(array $body): string {
    $errors = array_filter(is_array($body['errors'] ?? NULL) ? $body['errors'] : [], 'is_array');
    $places = array_map(
      static fn (array $error): string => self::text($error['pointer'] ?? '') . ': ' . self::text($error['detail'] ?? ''),
      array_slice($errors, 0, 3),
    );
    return $places === [] ? '' : ' at ' . implode('; ', $places);
  }

  /**
   * What the status page shows of the server's figures.
   */
  private static function figures(array $body): array {
    $figures = array_filter(array_intersect_key($body, array_flip([
      'processed_count',
      'new_modules',
      'updated_modules',
      'removed_modules',
      'security_updates_found',
      'security_unsupported',
      'security_unknown',
    ])), 'is_int');
    $sentences = [];
    foreach (['warnings', 'errors'] as $list) {
      foreach (is_array($body[$list] ?? NULL) ? $body[$list] : [] as $sentence) {
        $sentences[] = self::text($sentence);
      }
    }
    return ['sync_id' => self::text($body['sync_id'])] + $figures + [
      'warnings' => array_slice(array_filter($sentences), 0, 20),
    ];
  }

  /**
   * Foreign text, short enough for a log.
   */
  private static function text(mixed $value): string {
    $text = Text::clean($value, 300) ?? '';
    return rtrim((string) preg_replace('/[\x00-\x1F\x7F]+/', ' ', $text), '. ');
  }

}
