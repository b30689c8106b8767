<?php

declare(strict_types=1);

namespace Drupal\Tests\module_monitor_client\Unit;

use Drupal\module_monitor_client\Report\ComposerPackages;
use Drupal\module_monitor_client\Report\Digests;
use Drupal\module_monitor_client\Report\Inventory;
use Drupal\module_monitor_client\Report\Report;
use Drupal\module_monitor_client\Report\Text;
use Drupal\module_monitor_client\Sync\Request;
use PHPUnit\Framework\TestCase;

/**
 * Each extension is reported as what it is.
 *
 * @group module_monitor_client
 */
final class ReportTest extends TestCase {

  private const NOW = 1769851800;

  /**
   * A module that drupal.org packaged.
   */
  public function testPackagedModule(): void {
    $item = $this->item(self::extension('token', 'modules/contrib/token', [
      'name' => 'Token',
      'version' => '8.x-1.14',
      'project' => 'token',
      'datestamp' => '1713009401',
      'package' => 'Other',
      'core_version_requirement' => '^9.2 || ^10',
      'dependencies' => ['drupal:field', 'system'],
    ]));
    self::assertSame([
      'machine_name' => 'token',
      'name' => 'Token',
      'type' => 'contrib',
      'version' => '8.x-1.14',
      'status' => TRUE,
      'extension' => 'module',
      'project' => 'token',
      'package' => 'Other',
      'datestamp' => 1713009401,
      'schema_version' => 8000,
      'dependencies' => ['drupal:field', 'system'],
      'core_compatibility' => ['^9.2 || ^10'],
      'path' => 'modules/contrib/token',
    ], $item);
  }

  /**
   * Core, packaged or not, and what lies between core's own.
   */
  public function testCore(): void {
    $node = $this->item(self::extension('node', 'core/modules/node', ['version' => '10.3.6']));
    self::assertSame(['core', 'drupal'], [$node['type'], $node['project']]);
    $claro = $this->item(self::extension('claro', 'core/themes/claro', ['version' => '10.3.6'], [
      'extension' => 'theme',
    ]));
    self::assertSame(['core', 'drupal', 'theme'], [$claro['type'], $claro['project'], $claro['extension']]);
    $olivero = $this->item(self::extension('olivero', 'core/themes/olivero', [
      'version' => '10.3.5',
      'project' => 'drupal',
    ], ['extension' => 'theme']));
    self::assertSame('core', $olivero['type']);
    $ours = $this->item(self::extension('city', 'core/themes/city', ['base theme' => 'claro'], [
      'extension' => 'theme',
      'package' => ['name' => 'drupal/core', 'version' => '10.3.6'],
    ]));
    self::assertSame(['custom', NULL, 'claro'], [$ours['type'], $ours['version'], $ours['base_theme']]);
    self::assertArrayNotHasKey('project', $ours);
    self::assertArrayNotHasKey('composer_name', $ours);
    $copied = $this->item(self::extension('webform', 'core/modules/webform', [
      'version' => '6.2.2',
      'project' => 'webform',
    ]));
    self::assertSame(['contrib', 'webform'], [$copied['type'], $copied['project']]);
    $test = $this->item(self::extension('node_test', 'core/modules/node/tests/modules/node_test', [
      'version' => '10.3.6',
      'hidden' => TRUE,
      'package' => 'Testing',
    ], ['status' => FALSE]));
    self::assertSame(['core', TRUE, FALSE], [$test['type'], $test['hidden'], $test['status']]);
  }

  /**
   * A git checkout and custom code have no version, and none is made up.
   */
  public function testNothingIsMadeUp(): void {
    $item = $this->item(self::extension('city_core', 'modules/custom/city_core', ['name' => 'City Core'], [
      'schema_version' => -1,
    ]));
    self::assertSame('custom', $item['type']);
    self::assertArrayHasKey('version', $item);
    self::assertNull($item['version']);
    foreach (['project', 'datestamp', 'schema_version', 'composer_name', 'security_coverage', 'source'] as $field) {
      self::assertArrayNotHasKey($field, $item);
    }
    self::assertSame('1.0', $this->item(self::extension('x', 'modules/x', ['version' => 1.0]))['version']);
    self::assertNull($this->item(self::extension('x', 'modules/x', ['version' => str_repeat('1', 51)]))['version']);
    self::assertNull($this->item(self::extension('x', 'modules/x', ['version' => ['1.0']]))['version']);
  }

  /**
   * What has lost its code keeps its type and project, and has no version.
   */
  public function testMissing(): void {
    $missing = [
      'name' => 'webform',
      'extension' => 'module',
      'status' => TRUE,
      'schema_version' => 8601,
      'missing' => TRUE,
    ];
    $before = ['webform' => ['digest', 'contrib', 'webform']];
    $item = $this->report([$missing], $before)->items['webform'];
    self::assertSame(
      [
        'machine_name' => 'webform',
        'name' => 'webform',
        'type' => 'contrib',
        'version' => NULL,
        'status' => TRUE,
        'extension' => 'module',
        'project' => 'webform',
        'schema_version' => 8601,
        'missing' => TRUE,
      ],
      $item,
    );
    self::assertSame('custom', $this->report([$missing])->items['webform']['type']);
  }

  /**
   * Composer tells what a source install and its submodules are.
   */
  public function testComposer(): void {
    $versions = [
      'drupal/token' => [
        'pretty_version' => '1.14.0',
        'reference' => '8.x-1.14',
        'type' => 'drupal-module',
        'install_path' => '/site/web/modules/contrib/token',
      ],
      'drupal/city' => [
        'pretty_version' => 'dev-main',
        'reference' => 'abc',
        'type' => 'drupal-custom-module',
        'install_path' => '/site/web/modules/custom/city',
      ],
      'drupal/core' => [
        'pretty_version' => '10.3.6',
        'reference' => 'def',
        'type' => 'drupal-core',
        'install_path' => '/site/web/core',
      ],
      'symfony/yaml' => [
        'pretty_version' => '6.4.0',
        'type' => 'library',
        'install_path' => '/site/vendor/symfony/yaml',
      ],
      'drupal/replaced' => ['replaced' => ['*']],
    ];
    $installed = [
      [
        'name' => 'drupal/token',
        'installation-source' => 'source',
        'dist' => ['type' => 'zip'],
        'notification-url' => 'https://packages.drupal.org/8/downloads',
        'extra' => [
          'drupal' => [
            'version' => '8.x-1.14',
            'datestamp' => '1713009399',
            'security-coverage' => ['status' => 'covered'],
          ],
        ],
      ],
      [
        'name' => 'drupal/city',
        'installation-source' => 'dist',
        'dist' => ['type' => 'path'],
        'extra' => ['drupal' => ['version' => '9.9.9']],
      ],
    ];
    $packages = new ComposerPackages($versions, $installed, static fn (string $path): string => $path);
    self::assertNull($packages->find('/site/vendor/symfony/yaml/x'));
    self::assertNull($packages->find('/site/web/modules/other'));

    $sub = $this->item(self::extension('token_sub', 'modules/contrib/token/modules/token_sub', [], [
      'package' => $packages->find('/site/web/modules/contrib/token/modules/token_sub'),
    ]));
    self::assertSame(
      ['contrib', 'token', '8.x-1.14', 1713009399, 'drupal/token', '1.14.0', '8.x-1.14', 'source', TRUE],
      [
        $sub['type'], $sub['project'], $sub['version'], $sub['datestamp'], $sub['composer_name'],
        $sub['composer_version'], $sub['composer_reference'], $sub['source'], $sub['security_coverage'],
      ],
    );
    // A package of one's own is custom code, however it is called.
    $city = $this->item(self::extension('city', 'modules/custom/city', [], [
      'package' => $packages->find('/site/web/modules/custom/city'),
    ]));
    self::assertSame(['custom', NULL, 'drupal/city', 'path'], [
      $city['type'],
      $city['version'],
      $city['composer_name'],
      $city['source'],
    ]);
    // What the info file says is what the Update module goes by.
    $patched = $this->item(self::extension('token', 'modules/contrib/token', [
      'version' => '8.x-1.15',
      'project' => 'token',
    ], ['package' => $packages->find('/site/web/modules/contrib/token')]));
    self::assertSame(['8.x-1.15', '1.14.0'], [$patched['version'], $patched['composer_version']]);
  }

  /**
   * Broken text is repaired and noted, and never a reason not to send.
   */
  public function testBrokenText(): void {
    $report = $this->report([
      self::extension('cafe', 'modules/cafe', ['name' => "Caf\xE9 \xE2\x82\xAC\x00", 'description' => "\xFF\xFE"]),
    ]);
    self::assertSame('Café €', $report->items['cafe']['name']);
    self::assertSame(['The info file of cafe is not UTF-8; its text was repaired.'], $report->notes);
    $refused = $this->report([
      ['note' => 'Drupal cannot read the info file of cafe'] + self::extension('cafe', 'modules/cafe'),
    ]);
    self::assertSame(['Drupal cannot read the info file of cafe'], $refused->notes);
    self::assertSame('cafe', $refused->items['cafe']['name']);
    self::assertIsArray(json_decode(Request::json($report->full()), TRUE));
    self::assertSame(255, mb_strlen((string) Text::clean(str_repeat('é', 300), 255)));
    for ($seed = 0; $seed < 200; $seed++) {
      mt_srand($seed);
      $bytes = implode('', array_map(static fn (): string => chr(mt_rand(0, 255)), range(1, 40)));
      self::assertSame(1, preg_match('//u', Text::repair($bytes)));
    }
  }

  /**
   * Names that are none, names that come twice, and more than fit.
   */
  public function testList(): void {
    $report = $this->report([
      self::extension('bad-name', 'modules/bad'),
      self::extension('both', 'modules/both', [], ['status' => FALSE]),
      self::extension('both', 'themes/both', [], ['extension' => 'theme']),
    ]);
    self::assertSame(['both'], array_keys($report->items));
    self::assertSame('theme', $report->items['both']['extension']);
    self::assertCount(1, $report->notes);

    $many = [];
    for ($i = 0; $i < 2100; $i++) {
      $many[] = self::extension("m$i", "modules/m$i", ['hidden' => $i % 2 === 0], ['status' => $i >= 2090]);
    }
    $report = $this->report($many);
    self::assertCount(2000, $report->items);
    self::assertArrayHasKey('m2099', $report->items);
    self::assertSame($report->items, $this->report(array_reverse($many))->items);
  }

  /**
   * The frame of a report, and what does not fit is left out.
   */
  public function testFrame(): void {
    $report = $this->report([self::extension('a', 'modules/a', ['description' => 'long', 'dependencies' => ['b']])], [], TRUE);
    $full = $report->full();
    self::assertSame('2026-01-31T09:30:00Z', $full['sync_timestamp']);
    self::assertSame('full', $full['sync_type']);
    self::assertSame('{"name":"City"}', Request::json((array) $full['site_info']));
    self::assertArrayNotHasKey('facts', $full);
    self::assertArrayNotHasKey('description', $full['modules'][0]);
    self::assertArrayNotHasKey('dependencies', $full['modules'][0]);
  }

  /**
   * A delta leaves what the full report would have left, and none is empty.
   */
  public function testDeltaEqualsFull(): void {
    for ($seed = 0; $seed < 300; $seed++) {
      mt_srand($seed);
      $before = $this->report($this->randomSite());
      $after = $this->report($this->randomSite(), Digests::of($before->items));
      $delta = $after->delta('base', Digests::of($before->items));

      $state = $before->items;
      foreach ($delta['removed'] as $name) {
        self::assertArrayHasKey($name, $state);
        unset($state[$name]);
      }
      foreach ($delta['changed'] as $item) {
        self::assertNotContains($item['machine_name'], $delta['removed']);
        $state[$item['machine_name']] = $item;
      }
      ksort($state, SORT_STRING);
      self::assertSame($after->full()['modules'], array_values($state));

      $none = $after->delta('base', Digests::of($after->items));
      self::assertSame([[], []], [$none['changed'], $none['removed']]);
      self::assertTrue($after->matches(Digests::of($after->items)));
      self::assertSame($delta['changed'] === [] && $delta['removed'] === [], $after->matches(Digests::of($before->items)));
    }
  }

  /**
   * A thousand modules cost little.
   */
  public function testThousandModules(): void {
    $extensions = [];
    for ($i = 0; $i < 1000; $i++) {
      $extensions[] = self::extension("module_$i", "modules/contrib/module_$i", [
        'name' => "Module $i",
        'description' => str_repeat('What it does. ', 8),
        'version' => '8.x-1.' . $i,
        'project' => "module_$i",
        'dependencies' => ['drupal:node', 'drupal:views'],
      ]);
    }
    $start = hrtime(TRUE);
    $report = $this->report($extensions);
    $digests = Digests::of($report->items);
    $delta = Request::json($report->delta('base', $digests));
    $seconds = (hrtime(TRUE) - $start) / 1e9;
    self::assertLessThan(2.0, $seconds);
    self::assertLessThan(64 * 1024 * 1024, memory_get_peak_usage(TRUE));
    self::assertLessThan(400, strlen($delta), 'A delta of nothing is a few hundred bytes.');
  }

  /**
   * Some extensions, other ones each time.
   *
   * @return array[]
   *   As the inventory has them.
   */
  private function randomSite(): array {
    $extensions = [];
    for ($i = 0; $i < 8; $i++) {
      if (mt_rand(0, 3) === 0) {
        continue;
      }
      $extensions[] = mt_rand(0, 5) === 0
        ? ['name' => "m$i", 'extension' => 'module', 'status' => TRUE, 'missing' => TRUE]
        : self::extension("m$i", "modules/m$i", ['version' => '1.' . mt_rand(0, 1)] + (mt_rand(0, 1) ? [
          'project' => "m$i",
        ] : []), ['status' => mt_rand(0, 1) === 1]);
    }
    return $extensions ?: [self::extension('always', 'modules/always')];
  }

  /**
   * The only item of a report of one extension.
   */
  private function item(array $extension): array {
    return array_values($this->report([$extension])->items)[0];
  }

  /**
   * The report of a site with those extensions.
   */
  private function report(array $extensions, array $before = [], bool $slim = FALSE): Report {
    $inventory = new Inventory($extensions, ['name' => 'City', 'url' => NULL], [], '10.3.6', '8.2.0');
    return Report::of($inventory, $before, self::NOW, $slim);
  }

  /**
   * An enabled module, unless told otherwise.
   */
  private static function extension(string $name, string $path, array $info = [], array $more = []): array {
    return $more + [
      'name' => $name,
      'extension' => 'module',
      'path' => $path,
      'info' => $info,
      'status' => TRUE,
      'schema_version' => isset($info['project']) ? 8000 : NULL,
      'missing' => FALSE,
      'package' => NULL,
    ];
  }

}
