<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Sync;

/**
 * Something that somebody has to know, and what to do about it.
 */
final class Problem {

  /**
   * Takes a code that stays as it is, and two plain sentences.
   */
  public function __construct(
    public readonly string $code,
    public readonly string $text,
    public readonly string $advice = '',
  ) {}

  /**
   * Both sentences.
   */
  public function __toString(): string {
    return trim("$this->text $this->advice");
  }

}
