<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Adapter;

use Drupal\module_monitor_client\Sync\Answer;
use Drupal\module_monitor_client\Sync\Request;
use Drupal\module_monitor_client\Sync\TransportInterface;
use GuzzleHttp\ClientInterface;

/**
 * Sends with Drupal's HTTP client, and so through the proxy of the site.
 */
final class GuzzleTransport implements TransportInterface {

  /**
   * How long a connection may take, in seconds.
   */
  private const CONNECT = 5;

  /**
   * How long all of it may take, in seconds.
   *
   * The server answers within 5 seconds, with a promise where it needs longer.
   */
  private const TOTAL = 20;

  public function __construct(private readonly ClientInterface $httpClient) {}

  /**
   * {@inheritdoc}
   */
  public function send(Request $request): Answer {
    try {
      $response = $this->httpClient->request($request->method, $request->url, [
        'headers' => $request->headers + ['User-Agent' => 'module_monitor_client'],
        'body' => $request->body,
        'connect_timeout' => self::CONNECT,
        'timeout' => self::TOTAL,
        'read_timeout' => self::TOTAL,
        'verify' => TRUE,
        'allow_redirects' => FALSE,
        'http_errors' => FALSE,
        'stream' => FALSE,
        // An answer of gigabytes ends here.
        'progress' => static function (mixed $total, mixed $loaded): void {
          if ($loaded > Answer::LONGEST) {
            throw new \LengthException('the answer is too long');
          }
        },
      ]);
      $headers = array_map(
        static fn (array $values): string => (string) end($values),
        array_change_key_case($response->getHeaders()),
      );
      return new Answer($response->getStatusCode(), $headers, $response->getBody()->read(Answer::LONGEST));
    }
    catch (\Throwable $thrown) {
      return Answer::none($thrown->getMessage());
    }
  }

}
