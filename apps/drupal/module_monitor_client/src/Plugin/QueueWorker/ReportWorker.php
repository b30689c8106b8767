<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Plugin\QueueWorker;

use Drupal\Core\Plugin\ContainerFactoryPluginInterface;
use Drupal\Core\Queue\Attribute\QueueWorker;
use Drupal\Core\Queue\QueueWorkerBase;
use Drupal\Core\StringTranslation\TranslatableMarkup;
use Drupal\module_monitor_client\Sync\Reporter;
use Symfony\Component\DependencyInjection\ContainerInterface;

/**
 * Reports what has changed, outside of the request that changed it.
 */
#[QueueWorker(
  id: 'module_monitor_client',
  title: new TranslatableMarkup('Module Monitor reports'),
  cron: ['time' => 30],
)]
final class ReportWorker extends QueueWorkerBase implements ContainerFactoryPluginInterface {

  public function __construct(
    array $configuration,
    string $plugin_id,
    mixed $plugin_definition,
    private readonly Reporter $reporter,
  ) {
    parent::__construct($configuration, $plugin_id, $plugin_definition);
  }

  /**
   * {@inheritdoc}
   */
  public static function create(ContainerInterface $container, array $configuration, $plugin_id, $plugin_definition): self {
    return new self($configuration, $plugin_id, $plugin_definition, $container->get(Reporter::class));
  }

  /**
   * {@inheritdoc}
   */
  public function processItem($data): void {
    $this->reporter->runIfDue();
  }

}
