<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Report;

/**
 * Describes one module, theme or profile as the server wants it.
 */
final class ExtensionItem {

  private const LONGEST_LIST = 500;

  private const LATEST_DATESTAMP = 4102444800;

  /**
   * The item of the report.
   *
   * What is not known is left out, which means the same as null; `version` is
   * always there, since the server insists on being told that it is not known.
   *
   * @param array $extension
   *   What there is:
   *   - name: the machine name;
   *   - extension: module, theme or profile;
   *   - path: relative to Drupal's root, or NULL;
   *   - info: the parsed info file;
   *   - status: whether it is enabled;
   *   - schema_version: an integer, or NULL;
   *   - missing: whether it is enabled but its code is not there;
   *   - note: what is wrong with the info file, for Report, or NULL;
   *   - package: what ComposerPackages::find() says, or NULL.
   * @param string $drupal_version
   *   The site's version of Drupal.
   * @param array $before
   *   For a missing one, `type` and `project` of when it was still there.
   */
  public static function build(array $extension, string $drupal_version, array $before = []): array {
    $info = $extension['info'] ?? [];
    $package = $extension['package'] ?? NULL;
    if (!empty($extension['missing'])) {
      $type = $before['type'] ?? 'custom';
      $project = $before['project'] ?? NULL;
      $version = NULL;
    }
    else {
      [$type, $project] = self::belongsTo($extension, $drupal_version);
      // What a stranger has put into core's folder did not come with core.
      $package = $type !== 'core' && ($package['name'] ?? NULL) === 'drupal/core' ? NULL : $package;
      $version = self::version($info['version'] ?? ($project === NULL ? NULL : $package['drupal_version'] ?? NULL));
    }
    $item = [
      'machine_name' => (string) $extension['name'],
      'name' => Text::clean($info['name'] ?? NULL, 255) ?? (string) $extension['name'],
      'type' => $type,
      'version' => $version,
      'status' => (bool) $extension['status'],
      'extension' => $extension['extension'],
      'project' => $project,
      'package' => Text::clean($info['package'] ?? NULL, 255),
      'description' => Text::clean($info['description'] ?? NULL, 10000),
      'datestamp' => self::datestamp($info['datestamp'] ?? NULL) ?? ($project === NULL ? NULL : self::datestamp($package['datestamp'] ?? NULL)),
      'schema_version' => self::schemaVersion($extension['schema_version'] ?? NULL),
      'dependencies' => self::texts($info['dependencies'] ?? []),
      'core_compatibility' => self::texts($info['core_version_requirement'] ?? $info['core'] ?? []),
      'base_theme' => $extension['extension'] === 'theme' ? Text::clean($info['base theme'] ?? NULL, 255) : NULL,
      'hidden' => !empty($info['hidden']) ? TRUE : NULL,
      'missing' => !empty($extension['missing']) ? TRUE : NULL,
      'path' => self::path($extension['path'] ?? NULL),
      'security_coverage' => $package['covered'] ?? NULL,
      'composer_name' => Text::clean($package['name'] ?? NULL, 255),
      'composer_version' => Text::clean($package['version'] ?? NULL, 255),
      'composer_reference' => Text::clean($package['reference'] ?? NULL, 255),
      'source' => $package['source'] ?? NULL,
    ];
    return array_filter(
      $item,
      static fn (mixed $value, string $field): bool => $field === 'version' || ($value !== NULL && $value !== []),
      ARRAY_FILTER_USE_BOTH,
    );
  }

  /**
   * Type and project, as core's Update module finds them, then as Composer.
   *
   * @return array{string, string|null}
   *   Core, contrib or custom, and the drupal.org project.
   *
   * @see \Drupal\Core\Utility\ProjectInfo::getProjectName()
   */
  private static function belongsTo(array $extension, string $drupal_version): array {
    $info = $extension['info'] ?? [];
    $path = (string) ($extension['path'] ?? '');
    $project = self::project($info['project'] ?? NULL);
    if ($project === 'drupal') {
      return ['core', 'drupal'];
    }
    if ($project !== NULL) {
      return ['contrib', $project];
    }
    // The Update module looks at core/modules alone, since drupal.org's
    // packages name the project of themes and profiles. In a core that came
    // otherwise they have only its version, which a stranger's theme put among
    // them has not.
    if (str_starts_with($path, 'core/modules/') || (str_starts_with($path, 'core/') && ($info['version'] ?? NULL) === $drupal_version)) {
      return ['core', 'drupal'];
    }
    $project = self::project($extension['package']['project'] ?? NULL);
    return [$project === NULL ? 'custom' : 'contrib', $project];
  }

  /**
   * A drupal.org project's short name, or NULL.
   */
  private static function project(mixed $value): ?string {
    return is_string($value) && preg_match('/^[a-z0-9_]{1,128}$/D', $value) ? $value : NULL;
  }

  /**
   * A version as it stands; one too long to be one is not known.
   */
  private static function version(mixed $value): ?string {
    $version = Text::clean($value, 51);
    return $version === NULL || mb_strlen($version, 'UTF-8') > 50 ? NULL : $version;
  }

  /**
   * When the release was packaged, in Unix seconds.
   */
  private static function datestamp(mixed $value): ?int {
    if (!is_int($value) && !(is_string($value) && ctype_digit($value) && strlen($value) <= 10)) {
      return NULL;
    }
    $seconds = (int) $value;
    return $seconds > 0 && $seconds <= self::LATEST_DATESTAMP ? $seconds : NULL;
  }

  /**
   * The schema version; -1 stands for a module that is not installed.
   */
  private static function schemaVersion(mixed $value): ?int {
    return is_numeric($value) && $value >= 0 && $value <= 2147483647 ? (int) $value : NULL;
  }

  /**
   * A relative path without surprises, or NULL.
   */
  private static function path(mixed $value): ?string {
    $path = Text::clean($value, 513);
    return $path === NULL || $path[0] === '/' || mb_strlen($path, 'UTF-8') > 512 ? NULL : $path;
  }

  /**
   * The texts of a list, which an info file may also give as one text.
   *
   * @return string[]
   *   At most as many as the server takes.
   */
  private static function texts(mixed $values): array {
    $texts = array_map(static fn (mixed $value): ?string => Text::clean($value, 255), array_values((array) $values));
    return array_slice(array_values(array_filter($texts, static fn (?string $text): bool => $text !== NULL)), 0, self::LONGEST_LIST);
  }

}
