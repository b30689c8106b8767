<?php

use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/../../../../tests/RealServer.php';

/**
 * The reports of the module for Drupal 7 are what our real server wants.
 */
final class ServerTest extends TestCase {

  /**
   * What the site has arrives, and so does what has changed.
   */
  public function testReports() {
    $server = new RealServer();
    list($id, $key) = $server->site('City of Example');
    FakeDrupal::reset();
    $GLOBALS['conf']['module_monitor_client'] = array('url' => $server->url, 'site_id' => $id, 'key' => $key);
    FakeDrupal::$answers = array(function ($url, array $options) {
      $answer = RealServer::request($options['method'], $url, $options['headers'], (string) $options['data']);
      return (object) array('code' => $answer['status'], 'data' => $answer['body'], 'headers' => $answer['headers']);
    });
    module_monitor_client_cron();
    $this->compare(array('bartik' => '7.103', 'minimal' => '7.103', 'node' => '7.103', 'views' => '7.x-3.29'), $server->modules($id, $key));

    unset(FakeDrupal::$files['views'], FakeDrupal::$files['bartik'], FakeDrupal::$system['bartik']);
    FakeDrupal::add('token', 'module', 'sites/all/modules/token/token.module', array('version' => '7.x-1.7', 'project' => 'token'));
    // Longer than any slot is away.
    FakeDrupal::later(7200);
    // A report of the same second would be the same one.
    sleep(1);
    module_monitor_client_cron();
    $this->compare(array('minimal' => '7.103', 'node' => '7.103', 'token' => '7.x-1.7', 'views' => NULL), $server->modules($id, $key));

    $GLOBALS['conf']['module_monitor_client']['key'] = 'mm_0_0';
    module_monitor_client_cron();
    $state = _module_monitor_client_state();
    self::assertSame('key-invalid', $state['problem'][0]);
  }

  /**
   * The server has these versions.
   */
  private function compare(array $expected, array $modules) {
    $versions = array_map(function ($module) {
      return $module['version'];
    }, $modules);
    ksort($versions);
    self::assertSame($expected, $versions);
  }

}
