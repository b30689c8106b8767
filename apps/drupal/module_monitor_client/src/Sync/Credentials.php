<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Sync;

/**
 * Where to report, as whom, and with which key.
 */
final class Credentials {

  /**
   * Takes what was found; the empty string stands for nothing.
   *
   * @param string $url
   *   The server, without a path of ours.
   * @param string $siteId
   *   The id that the server gave the site.
   * @param string $key
   *   The site's API key. Never shown and never logged.
   * @param string $token
   *   An enrolment token, for a site that has no key yet. As secret as a key.
   * @param string $keySource
   *   Where the key is from, in words.
   * @param bool $insecure
   *   Whether somebody has allowed http:// to another machine.
   */
  public function __construct(
    public readonly string $url,
    public readonly string $siteId,
    #[\SensitiveParameter]
    public readonly string $key,
    #[\SensitiveParameter]
    public readonly string $token = '',
    public readonly string $keySource = '',
    public readonly bool $insecure = FALSE,
  ) {}

  /**
   * The same server and token with the id and key that it has given.
   */
  public function with(string $site_id, #[\SensitiveParameter] string $key, string $source): self {
    return new self($this->url, $site_id, $key, $this->token, $source, $this->insecure);
  }

  /**
   * Whether the site could ask the server for a key of its own.
   */
  public function mayEnrol(): bool {
    return $this->key === '' && $this->token !== '';
  }

  /**
   * What keeps the module from reaching the server, or NULL.
   */
  public function addressProblem(): ?Problem {
    if ($this->url === '') {
      return new Problem('not-configured', 'The address of the server is not configured.', 'Set it on the settings page, in settings.php or in the environment.');
    }
    $parts = parse_url($this->url);
    $scheme = strtolower($parts['scheme'] ?? '');
    $host = strtolower($parts['host'] ?? '');
    if (!in_array($scheme, ['http', 'https'], TRUE) || $host === '' || isset($parts['user']) || isset($parts['query'])) {
      return new Problem('bad-address', 'The address of the server is not one.', 'It looks like https://monitor.example.');
    }
    if ($scheme === 'http' && !$this->insecure && !in_array($host, ['localhost', '127.0.0.1', '[::1]'], TRUE)) {
      return new Problem('not-encrypted', 'The address of the server is not https, so the key could be read on its way.', 'Use https, or set allow_http in settings.php where the line is private.');
    }
    return NULL;
  }

  /**
   * What keeps the module from reporting, or NULL.
   */
  public function problem(): ?Problem {
    if ($problem = $this->addressProblem()) {
      return $problem;
    }
    if ($this->key === '') {
      return new Problem('no-key', 'There is no API key.', 'Put the key into settings.php, the environment or the Key module, or enrol the site with a token.');
    }
    if (!preg_match('/^[\x21-\x7E]+$/D', $this->key)) {
      return new Problem('bad-key', 'The API key contains blanks or other characters that no key has.', 'Copy the whole key again, from mm_ on.');
    }
    if ($this->siteId === '') {
      return new Problem('no-site', 'The id of the site is not configured.', 'Set the id that the server printed together with the key.');
    }
    return NULL;
  }

  /**
   * A digest of all that decides whether the server lets the site in.
   */
  public function fingerprint(): string {
    return substr(hash('sha256', implode("\n", [$this->url, $this->siteId, $this->key])), 0, 16);
  }

  /**
   * A digest of the key alone, by which a copy of the site knows it again.
   */
  public function keyDigest(): string {
    return substr(hash('sha256', "module_monitor_client\n" . $this->key), 0, 16);
  }

  /**
   * The address of a call.
   */
  public function endpoint(string $path): string {
    return rtrim($this->url, '/') . '/api/v1' . $path;
  }

  /**
   * Keeps secrets out of dumps.
   */
  public function __debugInfo(): array {
    return ['url' => $this->url, 'siteId' => $this->siteId, 'keySource' => $this->keySource];
  }

}
