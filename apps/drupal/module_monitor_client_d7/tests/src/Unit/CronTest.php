<?php

use PHPUnit\Framework\TestCase;

/**
 * What the module for Drupal 7 does on cron.
 */
final class CronTest extends TestCase {

  /**
   * {@inheritdoc}
   */
  protected function setUp(): void {
    FakeDrupal::reset();
  }

  /**
   * Everything at first, then what has changed, then everything once a day.
   */
  public function testReports() {
    FakeDrupal::$answers = array(self::applied('one'));
    module_monitor_client_cron();
    $request = FakeDrupal::$requests[0];
    self::assertSame('https://monitor.example/api/v1/sites/7/modules/sync', $request['url']);
    self::assertSame(array('mm_a_b', 'gzip', 0), array(
      $request['headers']['X-API-Key'],
      $request['headers']['Content-Encoding'],
      $request['max_redirects'],
    ));
    $full = FakeDrupal::sent();
    self::assertSame(array('full', '7.103', array('bartik', 'minimal', 'node', 'views')), array(
      $full['sync_type'],
      $full['drupal_version'],
      array_column($full['modules'], 'machine_name'),
    ));
    self::assertSame(array('City', 'https://city.example', 'production'), array(
      $full['site_info']['name'],
      $full['site_info']['url'],
      $full['site_info']['environment'],
    ));

    module_monitor_client_cron();
    self::assertCount(1, FakeDrupal::$requests, 'It waits for its slot.');
    FakeDrupal::later(3600);
    unset(FakeDrupal::$files['views']);
    FakeDrupal::$system['node']->status = 0;
    module_monitor_client_cron();
    $delta = FakeDrupal::sent();
    self::assertSame(array('delta', 'one', array()), array($delta['sync_type'], $delta['base'], $delta['removed']));
    self::assertSame(array('node', 'views'), array_column($delta['changed'], 'machine_name'));
    self::assertSame(array('contrib', NULL, TRUE), array(
      $delta['changed'][1]['type'],
      $delta['changed'][1]['version'],
      $delta['changed'][1]['missing'],
    ));
    FakeDrupal::later(86400);
    module_monitor_client_cron();
    self::assertSame('full', FakeDrupal::sent()['sync_type']);
    self::assertSame(array(), FakeDrupal::$log);
  }

  /**
   * A change is reported before the slot, and a rebuild without one is not.
   */
  public function testChanges() {
    FakeDrupal::$answers = array(self::applied('one'));
    module_monitor_client_cron();
    module_monitor_client_flush_caches();
    module_monitor_client_cron();
    self::assertCount(1, FakeDrupal::$requests);
    FakeDrupal::add('token', 'module', 'sites/all/modules/token/token.module', array('project' => 'token'));
    module_monitor_client_modules_enabled(array('token'));
    self::assertCount(1, FakeDrupal::$requests);
    module_monitor_client_cron();
    self::assertSame(array('token'), array_column(FakeDrupal::sent()['changed'], 'machine_name'));
  }

  /**
   * Trouble is logged once, waited out, and followed by a full report.
   */
  public function testTrouble() {
    FakeDrupal::$answers = array(self::applied('one'), FakeDrupal::answer(500, ''), self::applied('two'));
    module_monitor_client_cron();
    FakeDrupal::later(3600);
    module_monitor_client_cron();
    module_monitor_client_cron();
    self::assertCount(2, FakeDrupal::$requests);
    self::assertCount(1, FakeDrupal::$log);
    FakeDrupal::later(3600);
    module_monitor_client_cron();
    self::assertSame('full', FakeDrupal::sent()['sync_type']);
    self::assertSame('Reporting works again.', FakeDrupal::$log[1]);
  }

  /**
   * No connection is no answer; Drupal tells it by a negative number.
   */
  public function testNoAnswer() {
    FakeDrupal::$answers = array((object) array('code' => -111, 'error' => 'Connection refused'));
    module_monitor_client_cron();
    $requirements = module_monitor_client_requirements('runtime');
    self::assertSame(REQUIREMENT_ERROR, $requirements['module_monitor_client']['severity']);
    self::assertStringContainsString('Connection refused', $requirements['module_monitor_client']['description']);
  }

  /**
   * A queued report is followed up.
   */
  public function testQueued() {
    FakeDrupal::$answers = array(
      FakeDrupal::answer(202, array('sync_id' => 'sync_q')),
      FakeDrupal::answer(200, array('status' => 'running')),
      FakeDrupal::answer(200, array('status' => 'succeeded', 'result' => json_decode(self::applied('one')->data))),
    );
    module_monitor_client_cron();
    module_monitor_client_cron();
    self::assertSame('https://monitor.example/api/v1/syncs/sync_q', FakeDrupal::$requests[1]['url']);
    module_monitor_client_cron();
    self::assertCount(3, FakeDrupal::$requests);
    self::assertNull(_module_monitor_client_state()['base']);
    FakeDrupal::$answers = array(self::applied('two'));
    FakeDrupal::later(3600);
    module_monitor_client_cron();
    self::assertSame('full', FakeDrupal::sent()['sync_type']);
  }

  /**
   * A copy is silent until somebody says that it is none.
   */
  public function testCopy() {
    FakeDrupal::$answers = array(self::applied(NULL));
    module_monitor_client_cron();
    $GLOBALS['conf']['module_monitor_client']['environment'] = 'staging';
    FakeDrupal::later(86400);
    module_monitor_client_cron();
    module_monitor_client_cron();
    self::assertCount(1, FakeDrupal::$requests);
    self::assertCount(1, FakeDrupal::$log);
    $requirements = module_monitor_client_requirements('runtime');
    self::assertStringContainsString('staging', $requirements['module_monitor_client']['description']);
  }

  /**
   * Enrolment: a lost answer is repeated, the key is kept where none reads it.
   */
  public function testEnrolment() {
    unset($GLOBALS['conf']['module_monitor_client']['key'], $GLOBALS['conf']['module_monitor_client']['site_id']);
    $GLOBALS['conf']['module_monitor_client']['token'] = 'mmt_token';
    FakeDrupal::$answers = array(
      (object) array('code' => -1, 'error' => 'timeout'),
      FakeDrupal::answer(201, array('site_id' => 4711, 'api_key' => 'mm_own_key')),
      self::applied(NULL),
    );
    module_monitor_client_cron();
    module_monitor_client_cron();
    self::assertCount(1, FakeDrupal::$requests);
    FakeDrupal::later(3600);
    module_monitor_client_cron();
    self::assertSame(FakeDrupal::$requests[0]['headers']['Idempotency-Key'], FakeDrupal::$requests[1]['headers']['Idempotency-Key']);
    self::assertSame(FakeDrupal::$requests[0]['data'], FakeDrupal::$requests[1]['data']);
    self::assertStringNotContainsString('mm_own_key', implode('', FakeDrupal::$table));
    module_monitor_client_cron();
    self::assertSame('https://monitor.example/api/v1/sites/4711/modules/sync', FakeDrupal::$requests[2]['url']);
    self::assertSame('mm_own_key', FakeDrupal::$requests[2]['headers']['X-API-Key']);

    FakeDrupal::$salt = 'another';
    FakeDrupal::later(86400);
    module_monitor_client_cron();
    self::assertCount(3, FakeDrupal::$requests, 'A copy with another salt does not report.');
  }

  /**
   * Whatever is thrown stays inside and is waited out.
   */
  public function testExceptions() {
    $GLOBALS['conf']['broken'] = TRUE;
    FakeDrupal::$answers = array(self::applied(NULL));
    module_monitor_client_cron();
    module_monitor_client_cron();
    self::assertCount(1, FakeDrupal::$log);
    self::assertStringContainsString('a broken info file', FakeDrupal::$log[0]);
    unset($GLOBALS['conf']['broken']);
    FakeDrupal::later(3600);
    module_monitor_client_cron();
    self::assertCount(1, FakeDrupal::$requests);
  }

  /**
   * A 200 of our server.
   */
  private static function applied($state) {
    return FakeDrupal::answer(200, array(
      'success' => TRUE,
      'sync_id' => 'sync_1',
      'processed_count' => 3,
      'state' => $state,
    ));
  }

}
