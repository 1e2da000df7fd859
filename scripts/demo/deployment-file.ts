import type { Site } from './site.ts';

/** The operator's one file. Every kind of source is in it. */
export function deploymentFile(site: Site, repository: string): string {
  return `name: shop
x-dockerctl:
  release: "1.4"
  backup:
    repository: ${repository}
    sources:
      puppet:   {title: Puppet manifests, paths: [${site.puppet}]}
      packages: {title: Package repository, paths: [${site.packages}]}
      logs:     {title: Logs, paths: [${site.logs}]}
      config:   {title: Configuration, paths: [${site.config}]}
      uploads:  {title: Uploads, volume: uploads}
      database: {title: DB data, service: postgres, dump: postgres}
services:
  data:
    image: shop/busybox:\${RELEASE}
    command: ["true"]
    volumes: ["uploads:/uploads"]
    x-dockerctl: {storage: true}
  postgres:
    image: shop/postgres:\${RELEASE}
    environment: {POSTGRES_DB: shop}
    ports: ["127.0.0.1:5432:5432"]
    volumes: ["${site.database}:/var/lib/postgresql/data"]
    x-dockerctl:
      ready: [{run: [pg_isready, -q, -h, 127.0.0.1]}, {tcp: "127.0.0.1:5432"}]
  nginx:
    image: shop/nginx:\${RELEASE}
    depends_on: [postgres]
    ports: ["127.0.0.1:8080:80"]
    volumes_from: [data]
    volumes: ["${site.packages}:/var/www/html:ro", "${site.logs}:/var/log/nginx"]
    x-dockerctl:
      ready: [{http: "http://127.0.0.1:8080/", status: 200}]
volumes:
  uploads: {}
`;
}
