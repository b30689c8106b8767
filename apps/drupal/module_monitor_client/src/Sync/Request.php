<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Sync;

/**
 * One request to the server, ready to be sent.
 */
final class Request {

  /**
   * Takes what goes over the line.
   */
  public function __construct(
    public readonly string $method,
    public readonly string $url,
    #[\SensitiveParameter]
    public readonly array $headers,
    public readonly string $body = '',
  ) {}

  /**
   * Sends a report.
   *
   * The key for repetitions is made of the body, which has the time in it: the
   * same request that arrives twice is applied once.
   */
  public static function sync(Credentials $credentials, array $report): self {
    $json = self::json($report);
    $headers = [
      'X-API-Key' => $credentials->key,
      'Prefer' => 'handling=lenient',
      'Idempotency-Key' => hash('sha256', $json),
    ];
    return self::post($credentials->endpoint('/sites/' . rawurlencode($credentials->siteId) . '/modules/sync'), $headers, $json);
  }

  /**
   * Asks what became of a report that was queued.
   */
  public static function followUp(Credentials $credentials, string $sync_id): self {
    $headers = ['X-API-Key' => $credentials->key, 'Accept' => 'application/json'];
    return new self('GET', $credentials->endpoint('/syncs/' . rawurlencode($sync_id)), $headers);
  }

  /**
   * Asks for a key of the site's own.
   */
  public static function enrol(Credentials $credentials, #[\SensitiveParameter] string $idempotency_key, string $json): self {
    return self::post($credentials->endpoint('/enroll'), [
      'X-API-Key' => $credentials->token,
      'Idempotency-Key' => $idempotency_key,
    ], $json);
  }

  /**
   * The value as JSON that the server takes, whatever text is in it.
   */
  public static function json(array $value): string {
    return json_encode($value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PRESERVE_ZERO_FRACTION | JSON_THROW_ON_ERROR);
  }

  /**
   * Keeps keys and tokens out of dumps.
   */
  public function __debugInfo(): array {
    return ['method' => $this->method, 'url' => $this->url, 'bytes' => strlen($this->body)];
  }

  /**
   * A request with a body, compressed where PHP can.
   */
  private static function post(string $url, array $headers, string $json): self {
    $headers += ['Content-Type' => 'application/json', 'Accept' => 'application/json'];
    $compressed = function_exists('gzencode') ? gzencode($json, 6) : FALSE;
    return $compressed === FALSE
      ? new self('POST', $url, $headers, $json)
      : new self('POST', $url, $headers + ['Content-Encoding' => 'gzip'], $compressed);
  }

}
