<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Sync;

/**
 * Where things stand, for the status report, the settings page and Drush.
 */
final class Status {

  /**
   * Takes all of it.
   */
  public function __construct(
    public readonly Credentials $credentials,
    public readonly Identity $identity,
    public readonly SyncState $state,
    public readonly ?Problem $problem,
  ) {}

  /**
   * Whether nobody has configured anything yet.
   */
  public function isNew(): bool {
    return $this->problem?->code === 'not-configured';
  }

  /**
   * Everything as text, by a name; nothing secret.
   *
   * @return array<string, string>
   *   Empty where a value is not known.
   */
  public function rows(): array {
    $state = $this->state;
    $moment = static fn (int $time): string => $time > 0 ? gmdate('Y-m-d\TH:i:s\Z', $time) : '';
    $figure = static fn (string $name): string => (string) ($state->result[$name] ?? '');
    return [
      'problem' => $this->problem === NULL ? '' : (string) $this->problem,
      'server' => $this->credentials->url,
      'site_id' => $this->credentials->siteId,
      'key_from' => $this->credentials->keySource,
      'site_url' => (string) $this->identity->url,
      'environment' => (string) $this->identity->environment,
      'last_report' => $moment($state->appliedAt),
      'last_full_report' => $moment($state->fullAt),
      'last_attempt' => $moment($state->attemptAt),
      'next_report' => $moment(max($state->nextAt, $state->notBefore)),
      'failures' => (string) $state->failures,
      'queued' => (string) $state->pending,
      'delta_next' => $state->base === NULL ? 'no' : 'yes',
      'reported' => $figure('processed_count'),
      'security_updates' => $figure('security_updates_found'),
      'unsupported' => $figure('security_unsupported'),
      'unknown' => $figure('security_unknown'),
      'warnings' => implode("\n", $state->result['warnings'] ?? []),
      'notes' => implode("\n", $state->notes),
    ];
  }

}
