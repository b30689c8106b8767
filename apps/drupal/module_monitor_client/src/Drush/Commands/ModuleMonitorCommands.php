<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Drush\Commands;

use Consolidation\OutputFormatters\StructuredData\PropertyList;
use Drupal\module_monitor_client\Sync\Outcome;
use Drupal\module_monitor_client\Sync\Reporter;
use Drush\Attributes as CLI;
use Drush\Commands\DrushCommands;
use Symfony\Component\DependencyInjection\ContainerInterface;

/**
 * Reports, shows where things stand, and enrols, from the command line.
 */
final class ModuleMonitorCommands extends DrushCommands {

  public const SYNC = 'module-monitor:sync';

  public const STATUS = 'module-monitor:status';

  public const ENROLL = 'module-monitor:enroll';

  public function __construct(private readonly Reporter $reporter) {
    parent::__construct();
  }

  /**
   * Makes the commands, in Drush 12 and 13.
   */
  public static function create(ContainerInterface $container): self {
    return new self($container->get(Reporter::class));
  }

  /**
   * Report the extensions of this site now.
   */
  #[CLI\Command(name: self::SYNC, aliases: ['mm:sync'])]
  #[CLI\Option(name: 'full', description: 'Send the whole list, even where the changes would do.')]
  #[CLI\Option(name: 'moved', description: 'The site has a new address or environment and keeps its key.')]
  #[CLI\Option(name: 'if-due', description: 'Only if cron would report now.')]
  #[CLI\Option(name: 'dry-run', description: 'Show the report as JSON, and send nothing.')]
  #[CLI\FieldLabels(labels: ['status' => 'Status', 'sync_type' => 'Type', 'message' => 'Message'])]
  #[CLI\Usage(name: 'drush module-monitor:sync --dry-run', description: 'Show what would be sent.')]
  public function sync(array $options = [
    'format' => 'table',
    'full' => FALSE,
    'moved' => FALSE,
    'if-due' => FALSE,
    'dry-run' => FALSE,
  ]): ?PropertyList {
    if ($options['dry-run']) {
      $report = $this->reporter->preview((bool) $options['full']);
      $this->output()->writeln((string) json_encode($report, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE));
      return NULL;
    }
    return $this->tell($options['if-due'] ? $this->reporter->runIfDue() : $this->reporter->runNow((bool) $options['full'], (bool) $options['moved']));
  }

  /**
   * Show whether this site reports, and what is wrong.
   */
  #[CLI\Command(name: self::STATUS, aliases: ['mm:status'])]
  #[CLI\FieldLabels(labels: [
    'problem' => 'Problem',
    'server' => 'Server',
    'site_id' => 'Site id',
    'key_from' => 'Key from',
    'site_url' => 'Address of the site',
    'environment' => 'Environment',
    'last_report' => 'Last report',
    'last_full_report' => 'Last full report',
    'last_attempt' => 'Last attempt',
    'next_report' => 'Next report',
    'failures' => 'Failures in a row',
    'queued' => 'In the server\'s queue',
    'delta_next' => 'Next report is a delta',
    'reported' => 'Extensions reported',
    'security_updates' => 'Need a security update',
    'unsupported' => 'No longer supported',
    'unknown' => 'Security not known',
    'warnings' => 'Warnings of the server',
    'notes' => 'Notes on the list',
  ])]
  public function status(array $options = ['format' => 'table']): PropertyList {
    return new PropertyList($this->reporter->status()->rows());
  }

  /**
   * Get this site an id and a key of its own, for an enrolment token.
   *
   * The token is taken from standard input, or else from settings.php or
   * MODULE_MONITOR_TOKEN; as an argument it would stand in the process list.
   */
  #[CLI\Command(name: self::ENROLL, aliases: ['mm:enroll'])]
  #[CLI\Option(name: 'stdin', description: 'Read the token from standard input.')]
  #[CLI\Option(name: 'dry-run', description: 'Show what would be sent, and send nothing.')]
  #[CLI\FieldLabels(labels: ['status' => 'Status', 'sync_type' => 'Type', 'message' => 'Message'])]
  #[CLI\Usage(name: 'drush module-monitor:enroll --stdin < token', description: 'Enrol with the token in a file.')]
  public function enroll(array $options = ['format' => 'table', 'stdin' => FALSE, 'dry-run' => FALSE]): ?PropertyList {
    if ($options['dry-run']) {
      $status = $this->reporter->status();
      $this->output()->writeln((string) json_encode([
        'server' => $status->credentials->url,
        'url' => $status->identity->url,
        'environment' => $status->identity->environment,
        'token' => $status->credentials->token !== '' || $options['stdin'] ? 'there' : 'missing',
      ], JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES));
      return NULL;
    }
    $token = $options['stdin'] ? trim((string) stream_get_contents(STDIN, 1024)) : '';
    return $this->tell($this->reporter->enrol($token));
  }

  /**
   * The outcome; one that failed is the command's failure, too.
   */
  private function tell(Outcome $outcome): PropertyList {
    if ($outcome->status === Outcome::FAILED) {
      throw new \RuntimeException($outcome->message);
    }
    return new PropertyList([
      'status' => $outcome->status,
      'sync_type' => $outcome->syncType,
      'message' => $outcome->message,
    ]);
  }

}
