<?php

use PHPUnit\Framework\TestCase;

/**
 * What the module for Drupal 7 decides, without any Drupal.
 */
final class DecisionsTest extends TestCase {

  /**
   * The table that the module for Drupal 10 and later shares.
   */
  public static function answers() {
    $cases = array();
    foreach (json_decode(file_get_contents(__DIR__ . '/../../../../tests/answers.json'), TRUE) as $case) {
      $cases[$case['name']] = array($case);
    }
    return $cases;
  }

  /**
   * An answer to a report.
   *
   * @dataProvider answers
   */
  public function testReport(array $case) {
    $case += array(
      'headers' => array(),
      'failures' => 0,
      'sync_type' => 'full',
      'slimmed' => FALSE,
      'state' => NULL,
      'sync_id' => NULL,
      'slim' => FALSE,
      'says' => '',
    );
    $body = isset($case['text']) ? $case['text'] : (isset($case['body']) ? json_encode($case['body']) : '');
    $answer = array('status' => $case['status'], 'headers' => $case['headers'], 'body' => $body);
    $context = array(
      'sync_type' => $case['sync_type'],
      'failures' => $case['failures'],
      'site' => '7',
      'slim' => $case['slimmed'],
      'now' => 1769851800,
    );
    $verdict = module_monitor_client_read($answer, $context);

    self::assertSame($case['kind'], $verdict['kind']);
    if (isset($case['wait'])) {
      $range = (array) $case['wait'];
      self::assertGreaterThanOrEqual($range[0], $verdict['wait']);
      self::assertLessThanOrEqual(end($range), $verdict['wait']);
    }
    self::assertSame($case['state'], $verdict['state']);
    self::assertSame($case['sync_id'], $verdict['sync_id']);
    self::assertSame($case['slim'], $verdict['slim']);
    if (isset($case['code'])) {
      self::assertSame($case['code'], $verdict['code']);
    }
    if ($verdict['code'] !== '') {
      self::assertNotSame('', $verdict['advice']);
      self::assertStringContainsString($case['says'], $verdict['text'] . ' ' . $verdict['advice']);
    }
    if (isset($case['warnings'])) {
      self::assertSame($case['warnings'], $verdict['result']['warnings']);
    }
  }

  /**
   * Drupal 7 takes 422 and 429 for 400; the body and the message tell more.
   */
  public function testStatus() {
    self::assertSame(422, module_monitor_client_status(400, 'Unprocessable Entity', '{"code":"validation-failed","status":422}'));
    self::assertSame(429, module_monitor_client_status(400, 'Too Many Requests', '<html>'));
    self::assertSame(400, module_monitor_client_status(400, 'Bad Request', '{"code":"malformed-json","status":400}'));
    self::assertSame(400, module_monitor_client_status(400, 'Bad Request', '{"code":"x","status":200}'));
    self::assertSame(200, module_monitor_client_status(200, 'OK', '{"status":"queued"}'));
    self::assertSame(0, module_monitor_client_status(0, '', '{"code":"x","status":99}'));
  }

  /**
   * Each extension is reported as what it is.
   */
  public function testItems() {
    $items = $this->items(array(
      self::extension('node', 'modules/node', array('package' => 'Core', 'version' => '7.103')),
      self::extension('garland', 'themes/garland', array('package' => 'Core', 'version' => '7.103'), array(
        'extension' => 'theme',
      )),
      self::extension('standard', 'profiles/standard', array('package' => 'Core', 'project' => 'drupal'), array(
        'extension' => 'profile',
      )),
      self::extension('city', 'sites/all/modules/city', array('package' => 'Core of the city')),
      self::extension('views', 'sites/all/modules/views', array(
        'project' => 'views',
        'version' => '7.x-3.29',
        'datestamp' => '1669999999',
        'dependencies' => array('ctools'),
        'core' => '7.x',
      )),
      self::extension('cafe', 'sites/all/modules/cafe', array('name' => "Caf\xE9")),
      self::extension('gone', 'sites/all/modules/gone', array(), array('missing' => TRUE)),
    ), array('gone' => array('x', 'contrib', 'gone')));
    $types = array_map(function ($item) {
      return $item['type'] . ' ' . (isset($item['project']) ? $item['project'] : '-');
    }, $items);
    self::assertSame(array(
      'cafe' => 'custom -',
      'city' => 'custom -',
      'garland' => 'core drupal',
      'gone' => 'contrib gone',
      'node' => 'core drupal',
      'standard' => 'core drupal',
      'views' => 'contrib views',
    ), $types);
    self::assertSame('Café', $items['cafe']['name']);
    self::assertSame(array('7.x-3.29', 1669999999, array('ctools'), array('7.x'), 7000), array(
      $items['views']['version'], $items['views']['datestamp'], $items['views']['dependencies'], $items['views']['core_compatibility'], $items['views']['schema_version'],
    ));
    self::assertTrue(array_key_exists('version', $items['city']));
    self::assertNull($items['city']['version']);
    self::assertTrue($items['gone']['missing']);
  }

  /**
   * A delta leaves what the full report would have left.
   */
  public function testDeltaEqualsFull() {
    for ($seed = 0; $seed < 300; $seed++) {
      mt_srand($seed);
      $before = $this->items($this->randomSite(), array());
      $digests = module_monitor_client_digests($before);
      $after = $this->items($this->randomSite(), $digests);
      list($changed, $removed) = module_monitor_client_difference($digests, $after);
      $state = array_diff_key($before, array_flip($removed));
      self::assertCount(count($before) - count($removed), $state);
      foreach ($changed as $item) {
        $state[$item['machine_name']] = $item;
      }
      ksort($state, SORT_STRING);
      self::assertSame($after, $state);
      self::assertSame(array(array(), array()), module_monitor_client_difference(module_monitor_client_digests($after), $after));
    }
  }

  /**
   * What is sealed opens with the same salt and not otherwise.
   */
  public function testSeal() {
    $sealed = module_monitor_client_seal('mm_a_b', 'salt');
    self::assertSame('mm_a_b', module_monitor_client_open($sealed, 'salt'));
    self::assertNull(module_monitor_client_open($sealed, 'other'));
    self::assertNull(module_monitor_client_open(substr($sealed, 0, -4) . 'AAAA', 'salt'));
    self::assertNull(module_monitor_client_seal('mm_a_b', ''));
  }

  /**
   * Items of a list.
   */
  private function items(array $extensions, array $before) {
    list($items) = module_monitor_client_items($extensions, $before, FALSE);
    return $items;
  }

  /**
   * Some extensions, other ones each time.
   */
  private function randomSite() {
    $extensions = array(self::extension('always', 'sites/all/modules/always', array()));
    for ($i = 0; $i < 8; $i++) {
      if (mt_rand(0, 3)) {
        $extensions[] = self::extension("m$i", "sites/all/modules/m$i", array('version' => '7.x-1.' . mt_rand(0, 1)), array(
          'missing' => mt_rand(0, 5) === 0,
        ));
      }
    }
    return $extensions;
  }

  /**
   * An enabled module, unless told otherwise.
   */
  private static function extension($name, $path, array $info, array $more = array()) {
    return $more + array(
      'name' => $name,
      'extension' => 'module',
      'path' => $path,
      'info' => $info,
      'status' => TRUE,
      'schema_version' => '7000',
      'missing' => FALSE,
    );
  }

}
