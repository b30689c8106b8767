<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Form;

use Drupal\Core\Form\ConfigFormBase;
use Drupal\Core\Form\FormStateInterface;
use Drupal\module_monitor_client\Sync\Credentials;
use Drupal\module_monitor_client\Sync\Outcome;
use Drupal\module_monitor_client\Sync\Reporter;
use Drupal\module_monitor_client\Sync\SiteInterface;
use Drupal\module_monitor_client\Sync\Status;
use Symfony\Component\DependencyInjection\ContainerInterface;

/**
 * Settings, where things stand, and buttons to report and to enrol.
 */
final class SettingsForm extends ConfigFormBase {

  private const CONFIG = 'module_monitor_client.settings';

  /**
   * What reports.
   */
  private Reporter $reporter;

  /**
   * What is in force, wherever it is configured.
   */
  private SiteInterface $site;

  /**
   * Whether the Key module is there.
   */
  private bool $hasKeys;

  /**
   * {@inheritdoc}
   */
  public static function create(ContainerInterface $container): static {
    $form = parent::create($container);
    $form->reporter = $container->get(Reporter::class);
    $form->site = $container->get(SiteInterface::class);
    $form->hasKeys = $container->has('key.repository');
    return $form;
  }

  /**
   * {@inheritdoc}
   */
  public function getFormId(): string {
    return 'module_monitor_client_settings';
  }

  /**
   * {@inheritdoc}
   */
  protected function getEditableConfigNames(): array {
    return [self::CONFIG];
  }

  /**
   * {@inheritdoc}
   */
  public function buildForm(array $form, FormStateInterface $form_state): array {
    $config = $this->config(self::CONFIG);
    $status = $this->reporter->status();
    $form['status'] = $this->statusTable($status);
    $form['url'] = [
      '#type' => 'url',
      '#title' => $this->t('Address of the server'),
      '#default_value' => $config->get('url'),
      '#placeholder' => 'https://monitor.example',
      '#description' => $this->inForce($status->credentials->url, (string) $config->get('url')),
    ];
    $form['site_id'] = [
      '#type' => 'textfield',
      '#title' => $this->t('Id of the site'),
      '#default_value' => $config->get('site_id'),
      '#description' => $this->t('It came with the key. An enrolled site needs none here.'),
    ];
    $form['key_id'] = $this->hasKeys ? [
      '#type' => 'key_select',
      '#title' => $this->t('Key'),
      '#default_value' => $config->get('key_id'),
      '#empty_option' => $this->t('- From settings.php, the environment or enrolment -'),
    ] : ['#type' => 'value', '#value' => $config->get('key_id')];
    $form['base_url'] = [
      '#type' => 'url',
      '#title' => $this->t('Address of this site'),
      // An administrator confirms it by saving the form.
      '#default_value' => $config->get('base_url') ?: $this->getRequest()->getSchemeAndHttpHost() . $this->getRequest()->getBasePath(),
      '#description' => $this->inForce((string) $status->identity->url, (string) $config->get('base_url')),
    ];
    $form['environment'] = [
      '#type' => 'textfield',
      '#title' => $this->t('Environment'),
      '#default_value' => $config->get('environment'),
      '#maxlength' => 64,
      '#description' => $this->t('For example production. Better set in settings.php or the environment, so that a copy of the site does not take it along.'),
    ];
    if ($status->credentials->key === '') {
      $form['token'] = [
        '#type' => 'password',
        '#title' => $this->t('Enrolment token'),
        '#attributes' => ['autocomplete' => 'off'],
        '#description' => $this->t('For a site without a key: the token gets it one, once, and is not kept.'),
      ];
    }
    $form = parent::buildForm($form, $form_state);
    $form['actions']['report'] = [
      '#type' => 'submit',
      '#value' => $this->t('Save and report now'),
      '#submit' => ['::submitForm', '::reportNow'],
    ];
    if ($status->problem?->code === 'copy') {
      $form['actions']['moved'] = [
        '#type' => 'submit',
        '#value' => $this->t('The site has moved: report as the same site'),
        '#submit' => ['::submitForm', '::reportMoved'],
      ];
    }
    return $form;
  }

  /**
   * {@inheritdoc}
   */
  public function validateForm(array &$form, FormStateInterface $form_state): void {
    parent::validateForm($form, $form_state);
    $url = trim((string) $form_state->getValue('url'));
    $allowed = $this->site->credentials()->insecure;
    $problem = $url === '' ? NULL : (new Credentials($url, '', '', '', '', $allowed))->addressProblem();
    if ($problem !== NULL) {
      $form_state->setErrorByName('url', $this->t('@problem', ['@problem' => (string) $problem]));
    }
  }

  /**
   * {@inheritdoc}
   */
  public function submitForm(array &$form, FormStateInterface $form_state): void {
    $config = $this->config(self::CONFIG);
    foreach (['url', 'site_id', 'key_id', 'base_url', 'environment'] as $name) {
      $config->set($name, rtrim(trim((string) $form_state->getValue($name)), '/'));
    }
    $config->save();
    parent::submitForm($form, $form_state);
    $token = trim((string) $form_state->getValue('token'));
    if ($token !== '') {
      $this->show($this->reporter->enrol($token));
    }
  }

  /**
   * Reports because of the button.
   */
  public function reportNow(array &$form, FormStateInterface $form_state): void {
    $this->show($this->reporter->runNow());
  }

  /**
   * Reports because an administrator says that this is no copy.
   */
  public function reportMoved(array &$form, FormStateInterface $form_state): void {
    $this->show($this->reporter->runNow(TRUE, TRUE));
  }

  /**
   * Shows what came of it.
   */
  private function show(Outcome $outcome): void {
    $message = $this->t('@message', ['@message' => $outcome->message]);
    $outcome->status === Outcome::FAILED ? $this->messenger()->addError($message) : $this->messenger()->addStatus($message);
  }

  /**
   * Where things stand.
   */
  private function statusTable(Status $status): array {
    $labels = [
      'problem' => $this->t('Problem'),
      'site_id' => $this->t('Id of the site'),
      'key_from' => $this->t('Key from'),
      'last_report' => $this->t('Last report'),
      'next_report' => $this->t('Next report'),
      'queued' => $this->t('In the queue of the server'),
      'reported' => $this->t('Extensions reported'),
      'security_updates' => $this->t('Need a security update'),
      'unsupported' => $this->t('No longer supported'),
      'unknown' => $this->t('Security not known'),
      'warnings' => $this->t('Warnings of the server'),
      'notes' => $this->t('Notes on the list'),
    ];
    $rows = [];
    foreach (array_filter($status->rows(), static fn (string $value): bool => $value !== '') as $name => $value) {
      if (isset($labels[$name])) {
        $rows[] = [$labels[$name], ['data' => ['#plain_text' => $value]]];
      }
    }
    return ['#type' => 'table', '#rows' => $rows, '#access' => $rows !== []];
  }

  /**
   * Says where a value in settings.php or the environment wins.
   */
  private function inForce(string $in_force, string $configured): string {
    return $in_force === '' || $in_force === $configured ? '' : (string) $this->t('In force is @value, from settings.php or the environment.', [
      '@value' => $in_force,
    ]);
  }

}
