<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Adapter;

use Drupal\Component\Serialization\Yaml;
use Drupal\Core\Config\ConfigFactoryInterface;
use Drupal\Core\Extension\Extension;
use Drupal\Core\Extension\ExtensionDiscovery;
use Drupal\Core\Extension\InfoParserInterface;
use Drupal\Core\Extension\ModuleHandlerInterface;
use Drupal\module_monitor_client\Report\Text;

/**
 * Reads all extensions as they are on the disk now.
 *
 * Drupal's own lists would have to be reset for that. Where one info file is
 * broken they cannot be made again, and a site that lived on the cached list
 * would be down. This one touches no cache, and reads the other files.
 */
final class ExtensionReader {

  public function __construct(
    private readonly InfoParserInterface $infoParser,
    private readonly ModuleHandlerInterface $moduleHandler,
    private readonly ConfigFactoryInterface $configFactory,
    private readonly string $root,
    private readonly string $sitePath,
  ) {}

  /**
   * All modules, themes and profiles, and those without code.
   *
   * @return array[]
   *   As ExtensionItem::build() takes them, without package and schema version.
   */
  public function read(): array {
    $enabled = $this->configFactory->get('core.extension');
    $profile = (string) $enabled->get('profile');
    $discovery = new ExtensionDiscovery($this->root, FALSE, [], $this->sitePath);
    $profiles = $discovery->scan('profile');
    if (isset($profiles[$profile])) {
      $discovery->setProfileDirectories([$profiles[$profile]->getPath()]);
    }
    // The profile in use is among the modules.
    $modules = $this->extensions($discovery->scan('module') + $profiles, 'module', (array) $enabled->get('module'));
    $themes = $this->extensions($discovery->scan('theme'), 'theme', (array) $enabled->get('theme'));
    return array_merge($modules, $themes);
  }

  /**
   * The extensions of one list, and what is enabled in it and has no code.
   */
  private function extensions(array $found, string $kind, array $enabled): array {
    $extensions = [];
    foreach ($found as $name => $extension) {
      [$info, $note] = $this->info($extension, $kind);
      $extensions[] = [
        'name' => (string) $name,
        'extension' => $extension->getType(),
        'path' => $extension->getPath(),
        'info' => $info,
        'note' => $note,
        'status' => isset($enabled[$name]),
        'missing' => FALSE,
      ];
    }
    foreach (array_keys(array_diff_key($enabled, $found)) as $name) {
      $extensions[] = ['name' => (string) $name, 'extension' => $kind, 'status' => TRUE, 'missing' => TRUE];
    }
    return $extensions;
  }

  /**
   * What the info file says, and what there is to say about the file.
   *
   * @return array{array, string|null}
   *   As Drupal parses it and other modules alter it, which is what the Update
   *   module goes by; as much as can be read of a file that Drupal refuses.
   */
  private function info(Extension $extension, string $kind): array {
    $note = NULL;
    try {
      $info = $this->infoParser->parse($extension->getPathname());
    }
    catch (\Throwable $thrown) {
      $note = sprintf('Drupal cannot read the info file of %s: %s', $extension->getName(), Text::repair($thrown->getMessage()));
      $info = $this->repaired($extension);
    }
    try {
      $this->moduleHandler->alter('system_info', $info, $extension, $kind);
    }
    catch (\Throwable $thrown) {
      $note ??= sprintf('A module that alters the info file of %s failed: %s', $extension->getName(), Text::repair($thrown->getMessage()));
    }
    return [(array) $info, $note];
  }

  /**
   * What can be read of a file that Drupal does not take.
   */
  private function repaired(Extension $extension): array {
    try {
      $info = Yaml::decode(Text::repair((string) file_get_contents($this->root . '/' . $extension->getPathname())));
    }
    catch (\Throwable) {
      return [];
    }
    $info = is_array($info) ? $info : [];
    return ($info['version'] ?? NULL) === 'VERSION' ? ['version' => \Drupal::VERSION] + $info : $info;
  }

}
