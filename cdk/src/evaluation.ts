import { Token } from 'aws-cdk-lib';

/**
 * The template with its conditions decided here. They cannot be left to CloudFormation: a value may be a reference to a resource of the
 * stack, such as a user pool, and a condition may not depend on one.
 *
 * @internal
 */
export function evaluated(template: any, values: Record<string, string>): any {
  const decide = (condition: any): boolean => {
    const [[name, argument]] = Object.entries<any>(condition);
    switch (name) {
      case 'Fn::Equals':
        return known(argument[0]) === known(argument[1]);
      case 'Fn::Not':
        return !decide(argument[0]);
      case 'Fn::And':
        return argument.every(decide);
      case 'Fn::Or':
        return argument.some(decide);
      default:
        throw new Error(`a condition of ${name}`);
    }
  };
  // A token is some text, and none that a condition compares it with.
  const known = (value: any): any => {
    if (value?.Ref === 'AWS::Partition') return undefined;
    const found = value?.Ref === undefined ? value : values[value.Ref];
    return Token.isUnresolved(found) ? {} : String(found);
  };
  const conditions: Record<string, boolean> = {};
  for (const [name, condition] of Object.entries<any>(template.Conditions)) {
    conditions[name] = decide(condition);
  }
  const nothing = Symbol('AWS::NoValue');
  const resolve = (value: any): any => {
    if (Array.isArray(value)) return value.map(resolve).filter((each) => each !== nothing);
    if (value === null || typeof value !== 'object') return value;
    if (value.Ref === 'AWS::NoValue') return nothing;
    if (value['Fn::If']) {
      const [condition, then, otherwise] = value['Fn::If'];
      return resolve(conditions[condition] ? then : otherwise);
    }
    if (value['Fn::Sub']) return substituted(value['Fn::Sub']);
    const resolved = Object.entries<any>(value).map(([name, each]) => [name, resolve(each)] as const);
    return Object.fromEntries(resolved.filter(([, each]) => each !== nothing));
  };
  // A parameter in a text is named beside it: what takes its place may be a reference, which cannot stand inside of the text.
  const substituted = (argument: any): any => {
    const [text, given] = Array.isArray(argument) ? argument : [argument, {}];
    const names: Record<string, any> = resolve(given);
    for (const [, name] of String(text).matchAll(/\$\{([A-Za-z0-9]+)\}/g)) {
      if (name in values && !(name in names)) names[name] = { Ref: name };
    }
    return Object.keys(names).length > 0 ? { 'Fn::Sub': [text, names] } : { 'Fn::Sub': text };
  };
  const resources: Record<string, any> = {};
  for (const [name, resource] of Object.entries<any>(template.Resources)) {
    if (resource.Condition === undefined || conditions[resource.Condition]) {
      const { Condition: _, ...made } = resource;
      resources[name] = resolve(made);
    }
  }
  return { Parameters: template.Parameters, Resources: resources };
}
