<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Enrolment;

/**
 * Encrypts what has to lie in the database, with the site's hash salt.
 *
 * AES-256 in counter mode, then HMAC-SHA-256 over what came out: what every PHP
 * with OpenSSL can do. A database without its settings.php opens nothing.
 */
final class SecretBox {

  private const VERSION = 'v1:';

  private const CIPHER = 'aes-256-ctr';

  /**
   * Takes the secret.
   *
   * @throws \RuntimeException
   *   Where nothing can be encrypted here.
   */
  public function __construct(
    #[\SensitiveParameter]
    private readonly string $salt,
  ) {
    if ($salt === '' || !function_exists('openssl_encrypt')) {
      throw new \RuntimeException('A key can only be kept where there is a hash salt and PHP has OpenSSL.');
    }
  }

  /**
   * The text, unreadable without the salt; other each time.
   */
  public function seal(#[\SensitiveParameter] string $text): string {
    $nonce = random_bytes(16);
    $sealed = openssl_encrypt($text, self::CIPHER, $this->key('encrypt'), OPENSSL_RAW_DATA, $nonce);
    if ($sealed === FALSE) {
      throw new \RuntimeException('OpenSSL did not encrypt.');
    }
    return self::VERSION . base64_encode($nonce . $this->tag($nonce . $sealed) . $sealed);
  }

  /**
   * The text again, or NULL: sealed with another salt, or changed since.
   */
  public function open(string $sealed): ?string {
    $bytes = str_starts_with($sealed, self::VERSION) ? base64_decode(substr($sealed, strlen(self::VERSION)), TRUE) : FALSE;
    if ($bytes === FALSE || strlen($bytes) < 48) {
      return NULL;
    }
    [$nonce, $tag, $body] = [substr($bytes, 0, 16), substr($bytes, 16, 32), substr($bytes, 48)];
    if (!hash_equals($this->tag($nonce . $body), $tag)) {
      return NULL;
    }
    $text = openssl_decrypt($body, self::CIPHER, $this->key('encrypt'), OPENSSL_RAW_DATA, $nonce);
    return $text === FALSE ? NULL : $text;
  }

  /**
   * Proves that the bytes were not changed.
   */
  private function tag(string $bytes): string {
    return hash_hmac('sha256', $bytes, $this->key('authenticate'), TRUE);
  }

  /**
   * A key for one purpose.
   */
  private function key(string $purpose): string {
    return hash_hmac('sha256', "module_monitor_client/$purpose", $this->salt, TRUE);
  }

}
