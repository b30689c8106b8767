<?php

/**
 * @file
 * As much of Drupal 7 as the module touches, in memory.
 */

define('VERSION', '7.103');
define('REQUEST_TIME', time());
define('DRUPAL_PHP_FUNCTION_PATTERN', '[a-zA-Z_]+');
define('WATCHDOG_ERROR', 3);
define('WATCHDOG_NOTICE', 5);
define('REQUIREMENT_INFO', -1);
define('REQUIREMENT_OK', 0);
define('REQUIREMENT_WARNING', 1);
define('REQUIREMENT_ERROR', 2);

/**
 * What the site has, has sent and has logged.
 */
final class FakeDrupal {

  /**
   * The module's table.
   *
   * @var string[]
   */
  public static $table = array();

  /**
   * The rows of the table of modules.
   *
   * @var object[]
   */
  public static $system = array();

  /**
   * What is on the disk.
   *
   * @var object[]
   */
  public static $files = array();

  /**
   * Answers to come, or what makes them; the last one stays.
   *
   * @var object[]
   */
  public static $answers = array();

  /**
   * The requests that were sent.
   *
   * @var array[]
   */
  public static $requests = array();

  /**
   * The log.
   *
   * @var string[]
   */
  public static $log = array();

  /**
   * The hash salt.
   *
   * @var string
   */
  public static $salt = 'salt';

  /**
   * A new site with two modules and a theme.
   */
  public static function reset() {
    self::$table = self::$system = self::$files = self::$answers = self::$requests = self::$log = array();
    self::$salt = 'salt';
    $GLOBALS['conf'] = array('module_monitor_client' => array(
      'url' => 'https://monitor.example/',
      'site_id' => '7',
      'key' => 'mm_a_b',
      'base_url' => 'https://city.example',
      'environment' => 'production',
    ));
    self::add('node', 'module', 'modules/node/node.module', array(
      'name' => 'Node',
      'package' => 'Core',
      'version' => VERSION,
    ));
    self::add('views', 'module', 'sites/all/modules/views/views.module', array(
      'name' => 'Views',
      'version' => '7.x-3.29',
      'project' => 'views',
      'datestamp' => '1669999999',
    ));
    self::add('bartik', 'theme', 'themes/bartik/bartik.info', array(
      'name' => 'Bartik',
      'package' => 'Core',
      'version' => VERSION,
    ));
  }

  /**
   * Adds an enabled extension.
   */
  public static function add($name, $type, $uri, array $info) {
    self::$files[$name] = (object) array('name' => $name, 'uri' => $uri, 'info' => $info, 'type' => $type);
    self::$system[$name] = (object) array(
      'name' => $name,
      'type' => $type,
      'filename' => $uri,
      'status' => 1,
      'schema_version' => $type === 'module' ? '7000' : '-1',
    );
  }

  /**
   * An answer as drupal_http_request() gives it.
   */
  public static function answer($code, $body, array $headers = array()) {
    return (object) array(
      'code' => $code,
      'data' => is_array($body) ? json_encode($body) : $body,
      'headers' => $headers,
    );
  }

  /**
   * The body of the last request.
   */
  public static function sent() {
    $request = end(self::$requests);
    return json_decode(gzdecode($request['data']), TRUE);
  }

  /**
   * Moves the module's clock ahead by moving its memory back.
   */
  public static function later($seconds) {
    $state = json_decode(self::$table['state'], TRUE);
    foreach (array('next_at', 'not_before', 'full_at', 'pending_at') as $name) {
      $state[$name] = $state[$name] === 0 ? 0 : $state[$name] - $seconds;
    }
    self::$table['state'] = json_encode($state);
  }

  /**
   * Stands for a query, of db_merge() and of db_delete().
   */
  private $values = array();

  /**
   * Takes what the query is for.
   */
  public function __construct($kind) {
    $this->values['kind'] = $kind;
  }

  /**
   * Any part of a query.
   */
  public function __call($method, array $arguments) {
    if ($method === 'key') {
      $this->values['name'] = $arguments[0]['name'];
    }
    elseif ($method === 'condition') {
      $this->values['name'] = $arguments[1];
    }
    elseif ($method === 'fields') {
      $this->values['value'] = $arguments[0]['value'];
    }
    elseif ($method === 'fetchField') {
      return isset(self::$table[$this->values['kind']]) ? self::$table[$this->values['kind']] : FALSE;
    }
    elseif ($this->values['kind'] === 'merge') {
      self::$table[$this->values['name']] = $this->values['value'];
    }
    else {
      unset(self::$table[$this->values['name']]);
    }
    return $this;
  }

}

/**
 * As much of the database as is asked for facts.
 */
final class Database {

  /**
   * The connection.
   */
  public static function getConnection() {
    return new self();
  }

  /**
   * Its kind.
   */
  public function databaseType() {
    return 'mysql';
  }

  /**
   * Its version.
   */
  public function version() {
    return '8.0';
  }

}

/**
 * Drupal's functions, each as small as the tests allow.
 */
function db_query($sql, array $arguments = array()) {
  return $arguments ? new FakeDrupal($arguments[':name']) : array_values(FakeDrupal::$system);
}

function db_merge($table) {
  return new FakeDrupal('merge');
}

function db_delete($table) {
  return new FakeDrupal('delete');
}

function variable_get($name, $default) {
  $values = array('site_name' => 'City', 'cron_last' => 1700000000);
  return isset($values[$name]) ? $values[$name] : $default;
}

function drupal_get_profile() {
  return 'standard';
}

function conf_path() {
  return 'sites/default';
}

function drupal_get_hash_salt() {
  return FakeDrupal::$salt;
}

function drupal_random_bytes($count) {
  return random_bytes($count);
}

function drupal_hash_base64($data) {
  return rtrim(strtr(base64_encode(hash('sha256', $data, TRUE)), '+/', '-_'), '=');
}

function lock_acquire($name, $timeout) {
  return TRUE;
}

function lock_release($name) {
}

function lock_may_be_available($name) {
  return TRUE;
}

function watchdog($type, $message, array $variables, $severity) {
  FakeDrupal::$log[] = strtr($message, $variables);
}

function drupal_http_request($url, array $options) {
  FakeDrupal::$requests[] = array('url' => $url) + $options;
  $answer = count(FakeDrupal::$answers) > 1 ? array_shift(FakeDrupal::$answers) : FakeDrupal::$answers[0];
  return $answer instanceof Closure ? $answer($url, $options) : $answer;
}

function fake_files($type) {
  return array_filter(FakeDrupal::$files, function ($file) use ($type) {
    return $file->type === $type;
  });
}

function _system_rebuild_module_data() {
  if (isset($GLOBALS['conf']['broken'])) {
    throw new Exception('a broken info file');
  }
  return fake_files('module');
}

function _system_rebuild_theme_data() {
  return fake_files('theme');
}

function drupal_system_listing($mask, $directory, $key, $depth) {
  return array('minimal' => (object) array('uri' => 'profiles/minimal/minimal.profile', 'name' => 'minimal'));
}

function drupal_parse_info_file($filename) {
  return array('name' => 'Minimal', 'package' => 'Core', 'version' => VERSION);
}

function t($text, array $arguments = array()) {
  return strtr($text, $arguments);
}

function check_plain($text) {
  return htmlspecialchars($text, ENT_QUOTES, 'UTF-8');
}

function l($text, $path) {
  return "<a href=\"$path\">$text</a>";
}

require_once dirname(__DIR__) . '/module_monitor_client.module';
require_once dirname(__DIR__) . '/module_monitor_client.install';
