<?php

declare(strict_types=1);

/**
 * Our real server on a database of its own, for as long as the object lives.
 */
final class RealServer {

  /**
   * Where it listens.
   */
  public readonly string $url;

  /**
   * Its database and log.
   */
  private readonly string $folder;

  /**
   * Its process.
   *
   * @var resource
   */
  private $process;

  /**
   * Starts it; the binary is in MODULE_MONITOR_BINARY.
   */
  public function __construct() {
    $this->folder = sys_get_temp_dir() . '/module-monitor-drupal-' . bin2hex(random_bytes(6));
    mkdir($this->folder);
    $log = "$this->folder/log";
    $this->process = proc_open(
      $this->command(['serve', '--listen', '127.0.0.1:0', '--no-release-refresh']),
      [['file', '/dev/null', 'r'], ['file', $log, 'w'], ['file', $log, 'a']],
      $pipes,
    );
    for ($i = 0; $i < 600; $i++) {
      if (preg_match('#listening on (http://\S+)#', (string) file_get_contents($log), $match)) {
        $this->url = $match[1];
        return;
      }
      usleep(100000);
    }
    throw new RuntimeException('the server does not listen: ' . file_get_contents($log));
  }

  /**
   * Stops it, and removes what it has written.
   */
  public function __destruct() {
    proc_terminate($this->process);
    proc_close($this->process);
    array_map('unlink', (array) glob("$this->folder/*"));
    rmdir($this->folder);
  }

  /**
   * A new site: its id and its key.
   *
   * @return array{string, string}
   *   Both as text.
   */
  public function site(string $name): array {
    $printed = $this->run(['site', 'create', '--name', $name, '--json']);
    $site = json_decode($printed, TRUE, 8, JSON_THROW_ON_ERROR);
    return [(string) $site['site_id'], $site['api_key']];
  }

  /**
   * What the server has of a site, by machine name.
   */
  public function modules(string $site, string $key): array {
    $answer = self::request('GET', "$this->url/api/v1/sites/$site/modules?limit=1000", ['X-API-Key' => $key]);
    return array_column(json_decode($answer['body'], TRUE)['items'], NULL, 'machine_name');
  }

  /**
   * One request, by PHP's own streams.
   */
  public static function request(string $method, string $url, array $headers, string $body = ''): array {
    $lines = array_map(static fn (string $name): string => "$name: $headers[$name]", array_keys($headers));
    $answer = @file_get_contents($url, FALSE, stream_context_create(['http' => [
      'method' => $method,
      'header' => implode("\r\n", $lines),
      'content' => $body,
      'timeout' => 20,
      'ignore_errors' => TRUE,
      'follow_location' => 0,
    ]]));
    if ($answer === FALSE) {
      return ['status' => 0, 'headers' => [], 'body' => 'no connection'];
    }
    $received = [];
    foreach ($http_response_header as $line) {
      if (str_contains($line, ': ')) {
        [$name, $value] = explode(': ', $line, 2);
        $received[strtolower($name)] = $value;
      }
    }
    return ['status' => (int) explode(' ', $http_response_header[0])[1], 'headers' => $received, 'body' => $answer];
  }

  /**
   * A command of ours on this database.
   */
  private function command(array $arguments): array {
    return [(string) getenv('MODULE_MONITOR_BINARY'), '--database-url', "sqlite://$this->folder/server.db", ...$arguments];
  }

  /**
   * What a command prints.
   */
  private function run(array $arguments): string {
    return (string) shell_exec(implode(' ', array_map('escapeshellarg', $this->command($arguments))) . ' 2>/dev/null');
  }

}
