<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Sync;

/**
 * Which site this is: its address and its environment.
 *
 * Neither comes from a request of a visitor, who may name any host. What is not
 * configured is NULL and says nothing.
 */
final class Identity {

  /**
   * Takes both as configured.
   */
  public function __construct(
    public readonly ?string $url,
    public readonly ?string $environment,
  ) {}

  /**
   * Whether both are known to differ from another's.
   *
   * Addresses that differ in scheme, www., default port or the slash at the end
   * are the same, as they are to the server.
   */
  public function differsFrom(self $other): bool {
    return self::differ(self::normal($this->url), self::normal($other->url))
      || self::differ($this->environment, $other->environment);
  }

  /**
   * How people call it.
   */
  public function describe(): string {
    return ($this->url ?? 'a site without a configured address') . ($this->environment === NULL ? '' : " ($this->environment)");
  }

  /**
   * Only two known values can differ.
   */
  private static function differ(?string $one, ?string $other): bool {
    return $one !== NULL && $other !== NULL && $one !== $other;
  }

  /**
   * An address without what makes no difference.
   */
  private static function normal(?string $url): ?string {
    if ($url === NULL) {
      return NULL;
    }
    $normal = preg_replace(['#^https?://(www\.)?#', '#:(80|443)(?=/|$)#'], '', strtolower($url));
    return rtrim((string) $normal, '/');
  }

}
