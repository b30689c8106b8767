<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Sync;

/**
 * What came back: an answer of the server, of something before it, or nothing.
 */
final class Answer {

  /**
   * The longest body that is looked at, in bytes.
   */
  public const LONGEST = 1048576;

  /**
   * Takes the answer as it came.
   *
   * @param int $status
   *   The HTTP status, or 0 where there was no answer.
   * @param array<string, string> $headers
   *   Headers, names in lower case.
   * @param string $body
   *   The body, or why there was no answer.
   */
  public function __construct(
    public readonly int $status,
    public readonly array $headers = [],
    public readonly string $body = '',
  ) {}

  /**
   * Stands for a request that nobody answered.
   */
  public static function none(string $reason): self {
    return new self(0, [], $reason);
  }

  /**
   * The body's JSON object, or an empty array for anything else.
   */
  public function json(): array {
    $value = json_decode($this->body, TRUE, 64);
    return is_array($value) ? $value : [];
  }

  /**
   * The server's own name for what went wrong, or nothing.
   */
  public function code(): string {
    $code = $this->json()['code'] ?? '';
    return is_string($code) && preg_match('/^[a-z0-9-]{1,64}$/D', $code) ? $code : '';
  }

  /**
   * How many seconds the server asks to wait, or NULL.
   */
  public function retryAfter(int $now): ?int {
    $value = trim($this->headers['retry-after'] ?? '');
    if ($value === '') {
      return NULL;
    }
    if (ctype_digit($value)) {
      return strlen($value) > 9 ? NULL : (int) $value;
    }
    $moment = strtotime($value);
    return $moment === FALSE ? NULL : max(0, $moment - $now);
  }

}
