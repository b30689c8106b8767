<?php

declare(strict_types=1);

namespace Drupal\module_monitor_client\Sync;

use Drupal\module_monitor_client\Report\Inventory;

/**
 * What the module asks of the Drupal site that it runs in.
 */
interface SiteInterface {

  /**
   * Server, id, key and token as configured, without what enrolment gave.
   */
  public function credentials(): Credentials;

  /**
   * Address and environment as configured.
   */
  public function identity(): Identity;

  /**
   * The name of the site.
   */
  public function name(): string;

  /**
   * The site's secret, which no copy of its database contains.
   */
  public function hashSalt(): string;

  /**
   * Everything that is installed.
   */
  public function inventory(): Inventory;

}
