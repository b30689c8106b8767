<?php

/**
 * @file
 * Fails where a file given as an argument is more than PHP 5.6 understands.
 *
 * The parser is nikic's, Debian's package php-parser, set to the grammar of
 * PHP 5; names that PHP got later are looked for in the tree.
 */

declare(strict_types=1);

use PhpParser\Error;
use PhpParser\Lexer\Emulative;
use PhpParser\Node;
use PhpParser\NodeFinder;
use PhpParser\ParserFactory;

require_once 'PhpParser/autoload.php';

/**
 * What PHP 7 and 8 have added and a client may be tempted to use.
 */
const LATER_FUNCTIONS = [
  'array_is_list', 'array_key_first', 'array_key_last', 'error_clear_last', 'fdiv', 'get_debug_type', 'hash_hkdf', 'hrtime',
  'intdiv', 'is_countable', 'is_iterable', 'iterator_apply', 'mb_chr', 'mb_ord', 'mb_scrub', 'mb_str_split',
  'preg_last_error_msg', 'preg_replace_callback_array', 'random_bytes', 'random_int', 'str_contains', 'str_ends_with',
  'str_starts_with',
];
const LATER_CONSTANTS = [
  'JSON_INVALID_UTF8_IGNORE',
  'JSON_INVALID_UTF8_SUBSTITUTE',
  'JSON_THROW_ON_ERROR',
  'PHP_INT_MIN',
  'PHP_OS_FAMILY',
  'PREG_UNMATCHED_AS_NULL',
];

/**
 * The names in a tree that PHP 5.6 does not have, with their lines.
 */
function later_names(array $tree): array {
  $found = [];
  foreach ((new NodeFinder())->find($tree, static fn (Node $node): bool => $node instanceof Node\Expr\FuncCall || $node instanceof Node\Expr\ConstFetch) as $node) {
    $name = $node->name instanceof Node\Name ? $node->name->toString() : '';
    $is_call = $node instanceof Node\Expr\FuncCall;
    if (in_array($is_call ? strtolower($name) : $name, $is_call ? LATER_FUNCTIONS : LATER_CONSTANTS, TRUE)) {
      $found[] = "$name on line {$node->getStartLine()}";
    }
  }
  return $found;
}

$parser = (new ParserFactory())->create(ParserFactory::ONLY_PHP5, new Emulative(['phpVersion' => '5.6']));
$files = array_slice($argv, 1);
$failed = $files === [];
foreach ($files as $file) {
  try {
    $problems = later_names($parser->parse((string) file_get_contents($file)) ?? []);
  }
  catch (Error $error) {
    $problems = [$error->getMessage()];
  }
  foreach ($problems as $problem) {
    fwrite(STDERR, "$file: not PHP 5.6: $problem\n");
    $failed = TRUE;
  }
}
exit($failed ? 1 : 0);
