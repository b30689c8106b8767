<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Report;

/**
 * Makes text that the server takes out of whatever an info file contains.
 */
final class Text {

  /**
   * Well-formed UTF-8 sequences; what else there is ends up in the group.
   */
  private const SEQUENCES = '/[\x00-\x7F]+|[\xC2-\xDF][\x80-\xBF]|\xE0[\xA0-\xBF][\x80-\xBF]|[\xE1-\xEC\xEE\xEF][\x80-\xBF]{2}|\xED[\x80-\x9F][\x80-\xBF]|\xF0[\x90-\xBF][\x80-\xBF]{2}|[\xF1-\xF3][\x80-\xBF]{3}|\xF4[\x80-\x8F][\x80-\xBF]{2}|(.)/s';

  /**
   * The text, repaired and cut to so many characters.
   *
   * @param mixed $value
   *   What the info file says; anything but text and numbers is not known.
   * @param int $length
   *   The most characters (not bytes) that the server takes.
   *
   * @return string|null
   *   The text, or NULL where there is none.
   */
  public static function clean(mixed $value, int $length): ?string {
    if (is_float($value)) {
      // YAML reads an unquoted 1.0 as a number, which PHP would print as 1.
      $value = floor($value) === $value ? sprintf('%.1F', $value) : (string) $value;
    }
    if (!is_string($value) && !is_int($value)) {
      return NULL;
    }
    $text = trim(str_replace("\0", '', self::repair((string) $value)));
    return $text === '' ? NULL : mb_substr($text, 0, $length, 'UTF-8');
  }

  /**
   * The text as UTF-8: bytes that are not are taken for Windows-1252.
   *
   * Text in an old encoding stays readable that way, and a broken character
   * never spoils the ones around it.
   */
  public static function repair(string $text): string {
    if (preg_match('//u', $text)) {
      return $text;
    }
    return (string) preg_replace_callback(
      self::SEQUENCES,
      static fn (array $match): string => isset($match[1]) ? mb_convert_encoding($match[1], 'UTF-8', 'Windows-1252') : $match[0],
      $text,
    );
  }

  /**
   * The same for everything in a list, keys included.
   */
  public static function repairAll(array $values): array {
    $repaired = [];
    foreach ($values as $key => $value) {
      $key = is_string($key) ? self::repair($key) : $key;
      $repaired[$key] = match (TRUE) {
        is_array($value) => self::repairAll($value),
        is_string($value) => str_replace("\0", '', self::repair($value)),
        default => $value,
      };
    }
    return $repaired;
  }

}
