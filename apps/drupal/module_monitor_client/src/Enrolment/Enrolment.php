<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Enrolment;

use Drupal\module_monitor_client\Sync\Answer;
use Drupal\module_monitor_client\Sync\Backoff;
use Drupal\module_monitor_client\Sync\Credentials;
use Drupal\module_monitor_client\Sync\Identity;
use Drupal\module_monitor_client\Sync\Problem;
use Drupal\module_monitor_client\Sync\Request;
use Drupal\module_monitor_client\Sync\StoreInterface;
use Drupal\module_monitor_client\Sync\TransportInterface;

/**
 * Gets the site an id and a key of its own, for a token, and keeps them.
 *
 * The request has a secret of the site as its Idempotency-Key, kept until the
 * key is there: repeated after a lost answer it gives the same site a fresh
 * key, never a second site.
 */
final class Enrolment {

  private const KEPT = 'enrolled';

  private const ASKED = 'enrolling';

  /**
   * Takes where things are kept and how the server is reached.
   */
  public function __construct(
    private readonly StoreInterface $store,
    private readonly TransportInterface $transport,
    private readonly SecretBox $box,
  ) {}

  /**
   * The credentials, with the id and key of an enrolment where there are none.
   */
  public function complete(Credentials $credentials): Credentials {
    if ($credentials->key !== '') {
      return $credentials;
    }
    $kept = $this->read(self::KEPT);
    if (!is_string($kept['site'] ?? NULL) || !is_string($kept['key'] ?? NULL) || ($kept['url'] ?? NULL) !== $credentials->url) {
      return $credentials;
    }
    return $credentials->with($kept['site'], $kept['key'], 'enrolment');
  }

  /**
   * Whether there is a key that this site's hash salt does not open.
   *
   * So it is in a copy of the database on another machine.
   */
  public function isForeign(): bool {
    return $this->store->get(self::KEPT) !== [] && $this->read(self::KEPT) === [];
  }

  /**
   * Asks for a key.
   *
   * @return \Drupal\module_monitor_client\Sync\Credentials|\Drupal\module_monitor_client\Sync\Problem
   *   The credentials with the new id and key, or what is wrong.
   */
  public function enrol(Credentials $credentials, Identity $identity, string $name): Credentials|Problem {
    if ($identity->url === NULL) {
      return new Problem('no-base-url', 'The site does not know its own address, and an enrolled site needs one.', 'Configure the address of the site.');
    }
    $asked = $this->request($credentials, $identity, $name);
    $answer = $this->transport->send(Request::enrol($credentials, $asked['key'], $asked['body']));
    $body = $answer->json();
    if (!in_array($answer->status, [200, 201], TRUE)) {
      return $this->problem($answer);
    }
    $site = $body['site_id'] ?? $body['site']['id'] ?? NULL;
    $key = $body['api_key'] ?? $body['key']['api_key'] ?? NULL;
    if ((!is_string($site) && !is_int($site)) || !is_string($key) || $key === '') {
      return new Problem('not-our-server', 'Something answered that is not the server: the answer has no key.', 'Check the address, and proxies and login pages before the server.');
    }
    $this->write(self::KEPT, ['site' => (string) $site, 'key' => $key, 'url' => $credentials->url]);
    $this->store->set(self::ASKED, []);
    return $credentials->with((string) $site, $key, 'enrolment');
  }

  /**
   * How long to wait before the next request of this kind, in seconds.
   */
  public function wait(Problem $problem, int $failures, string $site): int {
    return in_array($problem->code, ['no-answer', 'server-trouble', 'not-our-server'], TRUE) ? Backoff::trouble($failures, $site) : Backoff::refusal($failures);
  }

  /**
   * Forgets the id and key, for a copy that is to get its own.
   */
  public function forget(): void {
    $this->store->set(self::KEPT, []);
    $this->store->set(self::ASKED, []);
  }

  /**
   * The request that was made already, or a new one.
   *
   * The same body each time, whatever the site is called by now.
   */
  private function request(Credentials $credentials, Identity $identity, string $name): array {
    $for = hash('sha256', implode("\n", [
      $credentials->url,
      $credentials->token,
      $identity->url,
      $identity->environment,
    ]));
    $asked = $this->read(self::ASKED);
    if (($asked['for'] ?? NULL) === $for && isset($asked['key'], $asked['body'])) {
      return $asked;
    }
    $body = ['name' => $name === '' ? $identity->url : $name, 'url' => $identity->url];
    $body += $identity->environment === NULL ? [] : ['environment' => $identity->environment];
    $asked = ['for' => $for, 'key' => bin2hex(random_bytes(32)), 'body' => Request::json($body)];
    $this->write(self::ASKED, $asked);
    return $asked;
  }

  /**
   * What an answer that gives no key means.
   */
  private function problem(Answer $answer): Problem {
    $code = $answer->code() ?: "http-$answer->status";
    $said = trim("$answer->status " . $answer->code());
    return match (TRUE) {
      $answer->status === 0 => new Problem('no-answer', 'The server did not answer.', 'The module tries again later, and gets no second site by that.'),
      $code === 'already-enrolled' => new Problem($code, 'This site is enrolled already, and its key has been used.', 'Ask an administrator of the server for a new key of the site.'),
      in_array($answer->status, [408, 409, 425, 429], TRUE), $answer->status >= 500 => new Problem('server-trouble', "The server could not enrol the site ($said).", 'The module tries again later.'),
      $answer->status === 401 => new Problem($code, "The server does not know the enrolment token ($said).", 'Copy the whole token again.'),
      $answer->status === 403 => new Problem($code, "The enrolment token is used up, expired or revoked ($said).", 'Ask an administrator of the server for another one.'),
      $answer->status === 404 => new Problem($code, "The server does not offer enrolment ($said).", 'Ask an administrator of the server for an id and a key.'),
      default => new Problem($code, "The server refused to enrol the site ($said).", 'Check the name and the address of the site.'),
    };
  }

  /**
   * Reads what write() has kept; nothing where the salt is another one.
   */
  private function read(string $name): array {
    $text = $this->box->open((string) ($this->store->get($name)['sealed'] ?? ''));
    $value = $text === NULL ? NULL : json_decode($text, TRUE);
    return is_array($value) ? $value : [];
  }

  /**
   * Keeps something secret.
   */
  private function write(string $name, #[\SensitiveParameter] array $value): void {
    $this->store->set($name, ['sealed' => $this->box->seal(Request::json($value))]);
  }

}
