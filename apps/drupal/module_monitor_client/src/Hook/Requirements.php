<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Hook;

use Drupal\Core\Hook\Attribute\Hook;
use Drupal\Core\StringTranslation\StringTranslationTrait;
use Drupal\Core\Url;
use Drupal\module_monitor_client\Sync\Identity;
use Drupal\module_monitor_client\Sync\Reporter;
use Drupal\module_monitor_client\Sync\Status;
use Symfony\Component\HttpFoundation\RequestStack;

/**
 * What the status report says.
 */
final class Requirements {

  use StringTranslationTrait;

  /**
   * A site that has not reported for so long has a problem, in seconds.
   */
  private const SILENT = 93600;

  // The values of REQUIREMENT_OK and so on, and of RequirementSeverity: the
  // constants are deprecated where the enum is there.
  public const INFO = -1;

  public const OK = 0;

  public const WARNING = 1;

  public const ERROR = 2;

  public function __construct(
    private readonly Reporter $reporter,
    private readonly RequestStack $requests,
  ) {}

  /**
   * Implements hook_runtime_requirements(), of Drupal 11.2 and later.
   */
  #[Hook('runtime_requirements')]
  public function runtime(): array {
    $requirement = $this->requirement();
    $severity = 'Drupal\Core\Extension\Requirement\RequirementSeverity';
    if (enum_exists($severity)) {
      $requirement['severity'] = $severity::from($requirement['severity']);
    }
    return ['module_monitor_client' => $requirement];
  }

  /**
   * The line of the status report, its severity as a number.
   */
  public function requirement(): array {
    $requirement = ['title' => $this->t('Module Monitor')];
    try {
      $status = $this->reporter->status();
    }
    catch (\Throwable $thrown) {
      return $requirement + [
        'value' => $this->t('Not working'),
        'description' => $this->t('@message', ['@message' => $thrown->getMessage()]),
        'severity' => self::ERROR,
      ];
    }
    [$value, $severity] = $this->summary($status);
    $arguments = ['@link' => Url::fromRoute('module_monitor_client.settings')->toString()];
    $lines = array_map(static fn (string $line): array => ['#plain_text' => $line, '#suffix' => '<br>'], $this->lines($status));
    $lines[] = ['#markup' => $this->t('<a href="@link">Settings and more</a>', $arguments)];
    return $requirement + ['value' => $value, 'description' => $lines, 'severity' => $severity];
  }

  /**
   * A few words, and how bad it is.
   */
  private function summary(Status $status): array {
    $applied = $status->state->appliedAt;
    return match (TRUE) {
      $status->isNew() => [$this->t('Not configured'), self::WARNING],
      $status->problem !== NULL => [$this->t('Not reporting: @code', ['@code' => $status->problem->code]), self::ERROR],
      $applied === 0 => [$this->t('Has not reported yet'), self::INFO],
      time() - $applied > self::SILENT => [
        $this->t('Silent since @time', ['@time' => $status->rows()['last_report']]),
        self::WARNING,
      ],
      default => [$this->t('Last report @time', ['@time' => $status->rows()['last_report']]), self::OK],
    };
  }

  /**
   * What there is to say in detail.
   */
  private function lines(Status $status): array {
    $rows = $status->rows();
    $lines = array_filter([$rows['problem'], ...explode("\n", $rows['warnings']), ...explode("\n", $rows['notes'])]);
    if ($status->state->appliedAt === 0 && $status->problem === NULL) {
      $lines[] = (string) $this->t('The first report goes out with the next cron run.');
    }
    // Whoever sees this page is an administrator; it is only a hint, and the
    // address in this request is not kept.
    $request = $this->requests->getCurrentRequest();
    $here = new Identity($request === NULL || PHP_SAPI === 'cli' ? NULL : $request->getSchemeAndHttpHost() . $request->getBasePath(), NULL);
    if ($here->differsFrom(new Identity($status->identity->url, NULL))) {
      $lines[] = (string) $this->t('You see this page at @here, and the site reports as @url. If this is a copy, it needs an address, an id and a key of its own.', [
        '@here' => $here->url,
        '@url' => $status->identity->url,
      ]);
    }
    return $lines;
  }

}
